//! The host names that a program may use to reach `/__sim/`.

use std::net::{IpAddr, SocketAddr};

/// The host names under which `/__sim/` answers.
pub(crate) struct OwnHosts {
    /// The host of `--listen` in lower case, a name or an address.
    listen: String,
    bound: IpAddr,
}

impl OwnHosts {
    /// Creates the list from the `listen` setting and the `bound` address.
    pub(crate) fn new(listen: &str, bound: SocketAddr) -> Self {
        let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
        Self { listen: host.to_ascii_lowercase(), bound: bound.ip() }
    }

    /// Returns whether `host` (without port) names this simulator. A name that an attacker controls never does.
    pub(crate) fn include(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            // A simulator bound to all addresses is reached under any of them; only names can be rebound.
            let address = address.to_canonical();
            address.is_loopback() || self.bound.is_unspecified() || address == self.bound.to_canonical()
        } else {
            let name = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
            name == "localhost" || name == self.listen
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_hosts_of_this_machine() {
        let loopback = OwnHosts::new("127.0.0.1:0", "127.0.0.1:4000".parse().expect("an address"));
        let everywhere = OwnHosts::new("0.0.0.0:80", "0.0.0.0:80".parse().expect("an address"));
        let named = OwnHosts::new("Sim:80", "10.0.0.7:80".parse().expect("an address"));
        for host in ["127.0.0.1", "127.1.2.3", "localhost", "LocalHost", "localhost.", "[::1]", "[::ffff:127.0.0.1]"] {
            assert!([&loopback, &everywhere, &named].iter().all(|own| own.include(host)), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433", "", "[::2"] {
            assert!([&loopback, &everywhere, &named].iter().all(|own| !own.include(host)), "{host}");
        }
        assert!(!loopback.include("10.0.0.7") && everywhere.include("10.0.0.7") && named.include("10.0.0.7"));
        assert!(named.include("sim") && !loopback.include("sim"));
    }
}
