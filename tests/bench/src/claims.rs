//! GetClaim and ListClaims through the service with its layers, near, against the same prepared statements on a held connection behind a
//! bare tonic service, in turn, in one process.

mod bare;

use std::time::{Duration, Instant};

use chassis::peer::Peer;
use contracts::linli::insurance::v1::{self as pb, claim_service_client::ClaimServiceClient};
use tonic::Request;

use crate::{
    Done,
    insured::{COMMITTEES, Insured, id},
    median,
};

/// Pairs of calls that are measured of each kind.
const PAIRS: u64 = 400;
/// Pairs before them that aren't.
const WARM: u64 = 40;
/// Rows of a page.
const PAGE: i32 = 50;
/// Rows of the pages by which deep places are found.
const STRIDE: i32 = 1_000;
/// Deep places that are found of a list at most.
const PLACES: usize = 400;

/// A place of a list: the token that the service takes, and the id that the bare one does.
#[derive(Clone, Debug, Default)]
struct Place {
    token: String,
    after: String,
}

/// A list that is measured.
struct Listed {
    name: &'static str,
    filter: String,
    places: Vec<Place>,
}

struct Clients {
    ours: ClaimServiceClient<Peer>,
    bare: ClaimServiceClient<Peer>,
    token: tonic::metadata::MetadataMap,
    claims: u64,
}

pub(crate) async fn run(claims: u64) -> Done<()> {
    let begun = Instant::now();
    let mut insured = Insured::new().await?;
    insured.fill(claims).await?;
    insured.fill_behind().await?;
    println!("{claims} claims put in place in {:.0} s", begun.elapsed().as_secs_f64());
    let mut clients = Clients {
        ours: ClaimServiceClient::new(insured.peer.clone()),
        bare: ClaimServiceClient::new(bare::peer(&insured.db.database.owner_url).await?),
        token: insured.officer(())?.metadata().clone(),
        claims,
    };
    println!("| call | bare (µs) | ours (µs) | bare/ours |\n|---|---|---|---|");
    clients.single().await?;
    for list in clients.lists().await? {
        clients.list(&list).await?;
    }
    Ok(())
}

fn show(name: &str, bare: Vec<Duration>, ours: Vec<Duration>) {
    let (bare, ours) = (median(bare), median(ours));
    println!("| {name} | {bare:.0} | {ours:.0} | {:.2} |", bare / ours);
}

impl Clients {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.token.clone();
        request
    }

    async fn single(&mut self) -> Done<()> {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for n in 0..WARM + PAIRS {
            let name = format!("towns/malu/claims/{}", id(n * 7_919 % self.claims));
            let get = || pb::GetClaimRequest { name: name.clone() };
            let begun = Instant::now();
            let plain = self.bare.get_claim(get()).await?.into_inner();
            let took = begun.elapsed();
            let request = self.request(get());
            let begun = Instant::now();
            let full = self.ours.get_claim(request).await?.into_inner();
            if n >= WARM {
                bare.push(took);
                ours.push(begun.elapsed());
            }
            let read = |claim: &pb::Claim| {
                let lines: usize = claim.decisions.iter().map(|decision| decision.lines.len()).sum();
                (claim.name.clone(), lines, claim.timeline.len(), claim.beneficiaries.len())
            };
            if read(&plain) != read(&full) || full.timeline.is_empty() {
                return Err(format!("{:?} is not {:?}", read(&plain), read(&full)).into());
            }
        }
        show("GetClaim", bare, ours);
        Ok(())
    }

    /// What is measured: each list at its beginning, and deep in it.
    async fn lists(&mut self) -> Done<Vec<Listed>> {
        let committee = format!("committee = \"towns/malu/committees/c{:03}\"", COMMITTEES / 2);
        let mut lists = Vec::new();
        for (begin, deep, filter) in [
            ("ListClaims of 50", "the same, deep", ""),
            ("ListClaims of 50 by state", "the same, deep", "state = NOTICE"),
            ("ListClaims of 50 by committee", "the same, deep", committee.as_str()),
        ] {
            let filter = filter.to_owned();
            let places = self.walk(&filter).await?;
            lists.push(Listed { name: begin, filter: filter.clone(), places: vec![Place::default()] });
            lists.push(Listed { name: deep, filter, places });
        }
        Ok(lists)
    }

    /// Places of a list, page by page; the first third isn't deep.
    async fn walk(&mut self, filter: &str) -> Done<Vec<Place>> {
        let (mut places, mut token) = (Vec::new(), String::new());
        while places.len() < PLACES {
            let request = self.request(pb::ListClaimsRequest {
                page_size: STRIDE,
                page_token: token,
                ..page(filter, &Place::default())
            });
            let answer = self.ours.list_claims(request).await?.into_inner();
            token = answer.next_page_token;
            let last = answer.claims.last().map(|claim| claim.name.clone()).unwrap_or_default();
            if token.is_empty() {
                break;
            }
            places.push(Place {
                token: token.clone(),
                after: last.rsplit('/').next().unwrap_or("").to_owned(),
            });
        }
        let deep = places.split_off(places.len() / 3);
        Ok(if deep.is_empty() { vec![Place::default()] } else { deep })
    }

    async fn list(&mut self, list: &Listed) -> Done<()> {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for (n, place) in (0..WARM + PAIRS).zip(list.places.iter().cycle()) {
            // the bare one takes the id itself, where the service takes its sealed token
            let plain = page(&list.filter, &Place { token: place.after.clone(), ..Place::default() });
            let begun = Instant::now();
            let plain = self.bare.list_claims(plain).await?.into_inner();
            let took = begun.elapsed();
            let request = self.request(page(&list.filter, place));
            let begun = Instant::now();
            let full = self.ours.list_claims(request).await?.into_inner();
            if n >= WARM {
                bare.push(took);
                ours.push(begun.elapsed());
            }
            let read = |page: &pb::ListClaimsResponse| {
                page.claims.iter().map(|claim| claim.name.clone()).collect::<Vec<_>>()
            };
            if read(&plain) != read(&full) || full.claims.len() != usize::try_from(PAGE)? {
                return Err(format!(
                    "{}: {} and {} claims",
                    list.name,
                    plain.claims.len(),
                    full.claims.len()
                )
                .into());
            }
        }
        show(list.name, bare, ours);
        Ok(())
    }
}

fn page(filter: &str, place: &Place) -> pb::ListClaimsRequest {
    pb::ListClaimsRequest {
        parent: "towns/malu".to_owned(),
        page_size: PAGE,
        page_token: place.token.clone(),
        filter: filter.to_owned(),
        ..Default::default()
    }
}
