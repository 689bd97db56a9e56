//! Who asks.

use axum::http::HeaderMap;
use serde::Deserialize;
use std::net::{IpAddr, Ipv6Addr};

/// Where a server learns the address of its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clients {
    /// From the connection: nothing stands between.
    #[default]
    Direct,
    /// From the last address in `X-Forwarded-For`, which the proxy in front has put there. Only behind a proxy that does,
    /// and that nobody can pass by: else clients choose their own address.
    BehindProxy,
}

/// What counts as one client: an address of version 4, or a network of 64 bits of version 6, since whoever has one address
/// of it has them all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))),
            address => Self(address),
        }
    }
}

impl Client {
    /// Who made a request with these headers over a connection from this address.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, clients: Clients) -> Self {
        let forwarded = match clients {
            Clients::Direct => None,
            Clients::BehindProxy => last_forwarded(headers),
        };
        Self::from(forwarded.unwrap_or(peer))
    }
}

/// The address that the nearest proxy has added. What stands before it was sent by its client.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let text = last.rsplit(',').next()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.split_once(']')).map_or(text, |(address, _)| address);
    bare.parse().ok().or_else(|| bare.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(clients: Clients, values: &[&str]) -> Client {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        Client::of([127, 0, 0, 1].into(), &headers, clients)
    }

    fn address(text: &str) -> Client {
        Client::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn what_a_client_says_of_itself_counts_for_nothing() {
        let said = ["192.0.2.1, 192.0.2.2"];
        assert_eq!(client(Clients::Direct, &said), address("127.0.0.1"));
        assert_eq!(client(Clients::BehindProxy, &said), address("192.0.2.2"));
        assert_eq!(client(Clients::BehindProxy, &["192.0.2.9", "192.0.2.1,192.0.2.3"]), address("192.0.2.3"));
        for unreadable in [&[][..], &["unknown"], &["192.0.2.1, "]] {
            assert_eq!(client(Clients::BehindProxy, unreadable), address("127.0.0.1"), "{unreadable:?}");
        }
    }

    #[test]
    fn ports_and_brackets_are_no_part_of_an_address() {
        for (text, expected) in
            [("192.0.2.2:80", "192.0.2.2"), ("[2001:db8::1]:80", "2001:db8::1"), ("2001:db8::1", "2001:db8::1")]
        {
            assert_eq!(client(Clients::BehindProxy, &[text]), address(expected), "{text}");
        }
    }

    #[test]
    fn a_network_of_version_6_is_one_client() {
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }
}
