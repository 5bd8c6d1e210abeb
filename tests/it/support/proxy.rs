//! A TCP proxy that cuts and stalls connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq)]
enum Traffic {
    Flows,
    /// Bytes are neither passed on nor is the connection closed.
    Stalls,
}

pub(crate) struct Proxy {
    port: u16,
    traffic: watch::Sender<(Traffic, usize)>,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy in front of a port of this machine.
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let (traffic, state) = watch::channel((Traffic::Flows, 0));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Before it is counted: whoever has seen the count may cut it.
                let cuts = state.borrow().1;
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(client, target, state.clone(), cuts));
            }
        });
        Self { port, traffic, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// How many connections were taken so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Cuts every connection; new ones are taken.
    pub(crate) fn cut(&self) {
        self.traffic.send_modify(|(traffic, cuts)| {
            *traffic = Traffic::Flows;
            *cuts += 1;
        });
    }

    /// Stops passing bytes on until [`Proxy::cut`].
    pub(crate) fn stall(&self) {
        self.traffic.send_modify(|(traffic, _)| *traffic = Traffic::Stalls);
    }
}

async fn pass(mut client: TcpStream, target: u16, mut state: watch::Receiver<(Traffic, usize)>, cuts: usize) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let changed = state.wait_for(|(traffic, now)| *traffic == Traffic::Stalls || *now != cuts);
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = changed => {}
    }
    // Both sockets stay open, unread, until they are cut.
    let _ = state.wait_for(|(_, now)| *now != cuts).await;
}
