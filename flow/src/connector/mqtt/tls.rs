//! TLS for `mqtts://`: whom to trust, and who we are.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::config::MqttTls;
use crate::component::BuildContext;
use crate::error::Error;

/// Reads the certificate files, so that what is wrong with them is known before anything connects.
pub(crate) fn client_config(tls: &MqttTls, context: &BuildContext) -> Result<Arc<ClientConfig>, Error> {
    let roots = match &tls.ca {
        Some(ca) => given_roots(&context.resolve(ca))?,
        None => system_roots()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("tls", "no usable TLS version").with_source(error))?
        .with_root_certificates(roots);
    let config = match (&tls.cert, &tls.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let key = context.resolve(key);
            let key = PrivateKeyDer::from_pem_file(&key)
                .map_err(|error| unreadable("tls.key", &key).with_source(error))?;
            let chain = certificates("tls.cert", &context.resolve(cert))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                Error::config("tls.cert", "the certificate and the key do not fit together")
                    .with_source(error)
            })?
        }
        (Some(_), None) => {
            return Err(Error::config("tls.key", "`tls.cert` needs the `key` that belongs to it"));
        }
        (None, Some(_)) => {
            return Err(Error::config("tls.cert", "`tls.key` needs the `cert` that belongs to it"));
        }
    };
    Ok(Arc::new(config))
}

fn given_roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls.ca", path)? {
        roots.add(certificate).map_err(|error| {
            Error::config("tls.ca", format!("`{}` holds a certificate that cannot be used", path.display()))
                .with_source(error)
        })?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // A store may hold certificates that rustls does not take; the others still serve.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Error::config(
            "tls.ca",
            "the operating system has no certificates of authorities; install them or name a PEM file",
        ));
    }
    Ok(roots)
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(key, path).with_source(error))?;
    if certificates.is_empty() {
        return Err(Error::config(key, format!("`{}` holds no PEM certificate", path.display())));
    }
    Ok(certificates)
}

fn unreadable(key: &'static str, path: &Path) -> Error {
    Error::config(key, format!("the PEM file `{}` cannot be read", path.display()))
}
