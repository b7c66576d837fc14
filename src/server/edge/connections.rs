//! Connections: how many there may be, how long they may say nothing, and how they end.
//! Owns what comes before and after a call, TLS included. Refuses to know routes: it is given them; and plain http from
//! beyond this machine, but from proxies that are named.
//! HTTP/1.1 only: what tells it from HTTP/2 would read the first bytes without a time limit.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::TrustedProxies;
use crate::server::wake::stopped;

/// TLS must have been agreed on within this.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);
/// The head of a call must have come within this, counted from the answer before. Ends idle connections too.
const LONGEST_HEAD: Duration = Duration::from_secs(15);
/// Largest head of a call, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// Connections at once, where the system gives enough files.
const MOST: u64 = 4_096;
/// Files that are kept for the database, for calls of ours, and for what starts us.
const OTHER_FILES: u64 = 128;
/// After a failed accept (no files left) the next try waits.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// At a stop, connections that have never called are waited for this long, for what may be on its way.
const GRACE: Duration = Duration::from_millis(250);
/// At a stop, answers under way are waited for this long: the longest call, and some for its answer.
const LONGEST_STOP: Duration = Duration::from_secs(50);

/// How connections come in.
#[derive(Clone, Debug, Default)]
pub struct Entrance {
    /// How TLS is spoken, where it ends here.
    pub tls: Option<Arc<ServerConfig>>,
    /// Who else than this machine may connect where it does not.
    pub proxies: Option<TrustedProxies>,
}

impl Entrance {
    fn takes(&self, peer: IpAddr) -> bool {
        let is_proxy = || self.proxies.as_ref().is_some_and(|proxies| proxies.has(peer));
        self.tls.is_some() || peer.to_canonical().is_loopback() || is_proxy()
    }
}

/// One connection, as calls and the others see it.
#[derive(Debug, Default)]
pub struct Seat {
    has_called: AtomicBool,
    signed_in: AtomicU32,
    close: Notify,
}

/// A call of somebody who is signed in, while it is under way.
#[derive(Debug)]
pub struct SignedInCall(Arc<Seat>);

impl Seat {
    /// Notes that a call has come.
    pub fn called(&self) {
        self.has_called.store(true, Ordering::Relaxed);
    }

    /// Holds the seat for a call of somebody who is signed in.
    pub fn hold(self: &Arc<Self>) -> SignedInCall {
        self.signed_in.fetch_add(1, Ordering::Relaxed);
        SignedInCall(self.clone())
    }

    fn is_held(&self) -> bool {
        self.signed_in.load(Ordering::Relaxed) > 0
    }
}

impl Drop for SignedInCall {
    fn drop(&mut self) {
        self.0.signed_in.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Every seat there is. When all are taken the oldest one without a call of somebody who is signed in is emptied:
/// ten thousand strangers keep nobody out.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    taken: Mutex<(u64, BTreeMap<u64, Arc<Seat>>)>,
}

impl Seats {
    /// `most` seats, all free.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// A seat; none where all are held.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.1.len() >= self.most {
            let oldest = taken.1.iter().find(|(_, seat)| !seat.is_held()).map(|(id, _)| *id)?;
            if let Some(seat) = taken.1.remove(&oldest) {
                seat.close.notify_one();
            }
        }
        taken.0 += 1;
        let (id, seat) = (taken.0, Arc::new(Seat::default()));
        taken.1.insert(id, seat.clone());
        Some(Place {
            seats: self.clone(),
            id,
            seat,
        })
    }
}

/// A seat that is taken, free again when dropped.
#[derive(Debug)]
pub struct Place {
    seats: Arc<Seats>,
    id: u64,
    seat: Arc<Seat>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.1.remove(&self.id);
    }
}

/// How many connections there may be: files are raised to what the system lets us have.
pub fn room() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = MOST + OTHER_FILES;
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(wanted.min(most)),
        ..limit
    };
    let has_enough = limit.current.is_none_or(|current| current >= wanted);
    // refused: what there is must do
    let files = if has_enough || setrlimit(Resource::Nofile, raised).is_err() {
        limit.current.unwrap_or(wanted)
    } else {
        wanted.min(most)
    };
    usize::try_from(files.saturating_sub(OTHER_FILES).clamp(16, MOST)).unwrap_or(16)
}

/// Serves `router` on `listener` until `stop` turns true; then ends what is idle and waits for answers under way.
pub async fn serve(
    listener: TcpListener,
    entrance: Entrance,
    router: Router,
    seats: Arc<Seats>,
    mut stop: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            Ok((_, peer)) if !entrance.takes(peer.ip()) => {
                tracing::info!(%peer, "no proxy of ours connects without TLS");
            }
            Ok((stream, peer)) => {
                if let Some(place) = seats.take() {
                    // small answers are not held back; where it fails they are only slower
                    let _ = stream.set_nodelay(true);
                    open.spawn(meet(
                        stream,
                        peer,
                        entrance.tls.clone(),
                        router.clone(),
                        place,
                        stop.clone(),
                    ));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(LONGEST_STOP, all).await.is_err() {
        tracing::warn!("answers that nobody took were cut off");
    }
}

/// One connection from its first byte to its last.
async fn meet(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    place: Place,
    mut stop: watch::Receiver<bool>,
) {
    let Some(tls) = tls else {
        return converse(stream, peer, router, place, stop).await;
    };
    let seat = place.seat.clone();
    let handshake = tokio::time::timeout(LONGEST_HANDSHAKE, TlsAcceptor::from(tls).accept(stream));
    let agreed = tokio::select! {
        agreed = handshake => agreed,
        () = seat.close.notified() => return,
        () = stopped(&mut stop) => return,
    };
    match agreed {
        Ok(Ok(stream)) => converse(stream, peer, router, place, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS was agreed on"),
        Err(_) => tracing::debug!(%peer, "no TLS was agreed on in time"),
    }
}

/// What is said on a connection.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    place: Place,
    mut stop: watch::Receiver<bool>,
) {
    let seat = place.seat.clone();
    let known = Router::new()
        .fallback_service(router)
        .layer(Extension(ConnectInfo(peer)))
        .layer(Extension(seat.clone()));
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .max_buf_size(LARGEST_HEAD);
    let service = TowerToHyperService::new(known);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = seat.close.notified() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let silence = async {
        tokio::time::sleep(GRACE).await;
        if seat.has_called.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = connection => {}
        () = silence => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_connections_are_of_this_machine_or_of_named_proxies() {
        let takes = |entrance: &Entrance, peer: &str| entrance.takes(peer.parse().unwrap());
        let mut entrance = Entrance::default();
        assert!(takes(&entrance, "127.0.0.1") && takes(&entrance, "::1") && takes(&entrance, "::ffff:127.0.0.1"));
        assert!(!takes(&entrance, "10.0.0.5") && !takes(&entrance, "2001:db8::1"));
        entrance.proxies = Some(TrustedProxies {
            networks: vec!["10.0.0.5/32".parse().unwrap()],
            header: crate::config::ForwardedHeader::XForwardedFor,
        });
        assert!(takes(&entrance, "10.0.0.5") && takes(&entrance, "::ffff:10.0.0.5") && takes(&entrance, "127.0.0.1"));
        assert!(!takes(&entrance, "10.0.0.6"));
    }

    #[test]
    fn oldest_seat_that_is_not_held_is_emptied() {
        let seats = Seats::new(3);
        let [first, second, third] = [(); 3].map(|()| seats.take().unwrap());
        let held = first.seat.hold();
        let fourth = seats.take().unwrap();
        let ids: Vec<u64> = seats.taken.lock().unwrap().1.keys().copied().collect();
        assert_eq!(ids, [first.id, third.id, fourth.id]);
        drop((held, second));
        assert_eq!(seats.taken.lock().unwrap().1.len(), 3);
    }

    #[test]
    fn seats_that_are_all_held_take_nobody() {
        let seats = Seats::new(1);
        let place = seats.take().unwrap();
        let held = place.seat.hold();
        assert!(seats.take().is_none());
        drop(held);
        assert!(seats.take().is_some());
    }
}
