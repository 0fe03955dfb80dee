//! Starts or joins the server in a directory, says so, and holds it until its standard input ends.

use std::{error::Error, io::Read};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: hold DIR")?;
    let options = devdb::Options { dir: dir.into(), durable: false, connections: 20 };
    let server = devdb::Server::join_or_start(&options)?;
    println!("joined={} {}", server.joined, server.owner_url("postgres"));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
