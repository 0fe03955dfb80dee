//! Every RPC of funding, called by whom it must refuse: nobody learns what exists.

use chassis::testing::walk::{Strangers, Walk};
use jiff::civil::date;

use crate::harness::service;

/// Fields that no path binds.
fn text(field: &str, id: &str) -> Option<String> {
    let of = |kind: &str| Some(format!("towns/malu/{kind}/{id}"));
    match field {
        "account" | "into_account" => of("accounts"),
        "category" => Some("OFFICE".to_owned()),
        "objection" => Some("01890a5d-ac96-774b-bcce-b302099a8057".to_owned()),
        "project" => of("projects"),
        _ => None,
    }
}

/// The walk over funding's RPCs.
pub(crate) const WALK: Walk = Walk { service: "funding", text };

#[tokio::test]
async fn every_rpc_refuses_strangers_and_tells_them_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.year(2020).await;
    service.give("c1", "WORK", 2020, 1_00).await;
    let strangers = Strangers {
        elsewhere: service.token("stranger", "administrator", "town:other"),
        powerless: service.token("adjuster", "adjuster", "malu"),
        allowed: &[],
        townless: &[],
    };
    let seen = WALK.refuses(&service.peer, &strangers).await;
    assert!(seen > 15, "{seen} methods");
}
