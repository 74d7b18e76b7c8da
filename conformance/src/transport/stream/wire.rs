//! What carries HTTP: TLS, or TCP alone for protocols that bring their own protection.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned};

use super::is_timeout;
use crate::transport::Failure;

/// One open connection.
pub(in crate::transport) enum Wire {
    /// HTTPS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// HTTP.
    Plain(TcpStream),
}

impl Wire {
    /// The TLS session, if there is one.
    pub(in crate::transport) fn session(&self) -> Option<&ClientConnection> {
        match self {
            Self::Tls(tls) => Some(&tls.conn),
            Self::Plain(_) => None,
        }
    }

    /// Sends all of `octets`.
    pub(super) fn send(&mut self, octets: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tls(tls) => tls.write_all(octets).and_then(|()| tls.flush()),
            Self::Plain(tcp) => tcp.write_all(octets),
        }
    }

    /// Waits up to `patience` for octets and puts them behind `received`.
    pub(super) fn receive(&mut self, patience: Duration, received: &mut Vec<u8>) -> Result<(), Failure> {
        let refused = |error: std::io::Error| Failure::Connect(error.to_string());
        match self {
            Self::Tls(tls) => {
                tls.sock.set_read_timeout(Some(patience)).map_err(refused)?;
                receive_records(tls, received)
            }
            Self::Plain(tcp) => {
                tcp.set_read_timeout(Some(patience)).map_err(refused)?;
                let mut piece = vec![0; 16 * 1024];
                match tcp.read(&mut piece) {
                    Ok(0) => Err(Failure::Closed),
                    Ok(count) => {
                        received.extend(piece.iter().take(count));
                        Ok(())
                    }
                    Err(error) if is_timeout(&error) => Err(Failure::Silent),
                    Err(_) => Err(Failure::Closed),
                }
            }
        }
    }
}

/// It reads records itself, since rustls's stream first writes what is left to write, and a server that refuses a body may have
/// stopped reading after its answer.
fn receive_records(tls: &mut StreamOwned<ClientConnection, TcpStream>, received: &mut Vec<u8>) -> Result<(), Failure> {
    let StreamOwned { conn, sock } = tls;
    let mut piece = vec![0; 16 * 1024];
    loop {
        match conn.reader().read(&mut piece) {
            Ok(0) => return Err(Failure::Closed),
            Ok(count) => {
                received.extend(piece.iter().take(count));
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Err(Failure::Closed),
        }
        match conn.read_tls(sock) {
            Ok(0) => return Err(Failure::Closed),
            Ok(_) => conn.process_new_packets().map(|_| ()).map_err(|error| Failure::Tls(error.to_string()))?,
            Err(error) if is_timeout(&error) => return Err(Failure::Silent),
            Err(_) => return Err(Failure::Closed),
        }
    }
}
