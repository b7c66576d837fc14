//! A connection to the backend, plain or through TLS: HTTP/1.1, kept open. Refuses to know what is said on it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Failure;

/// What bytes go through.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection.
pub struct Connection(BufReader<Box<dyn Wire>>);

impl Connection {
    /// To `address`; through TLS where it is said how.
    pub async fn open(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match tls {
            None => Box::new(stream),
            Some(config) => {
                let host = ServerName::from(address.ip());
                Box::new(TlsConnector::from(config.clone()).connect(host, stream).await?)
            }
        };
        Ok(Self(BufReader::new(wire)))
    }

    /// Sends `call` and gives status and body of what is answered.
    pub async fn call(&mut self, call: &str) -> Result<(u16, Vec<u8>), Failure> {
        self.0.write_all(call.as_bytes()).await?;
        self.0.flush().await?;
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                return Err("the backend hung up".into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status == 0 {
                status = text.split(' ').nth(1).unwrap_or_default().parse()?;
            } else if let Some((name, value)) = text.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((status, body))
    }
}
