//! The built-in JSON codec, unchanged, as a plugin.

flow::export_plugin!(flow::codec::json::JsonDecoder, flow::codec::json::JsonEncoder);
