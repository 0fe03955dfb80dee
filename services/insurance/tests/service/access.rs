//! Every RPC of insurance, called by whom it must refuse: nobody learns what exists.

use chassis::testing::walk::{Strangers, Walk};
use jiff::civil::date;

use crate::harness::service;

/// Fields that no path binds.
fn text(field: &str, id: &str) -> Option<String> {
    let of = |kind: &str| Some(format!("towns/malu/{kind}/{id}"));
    match field {
        "programme" => of("programmes"),
        "policy" => of("policies"),
        "incident" | "event" => of("incidents"),
        "insurer" => of("organisations"),
        "owner" => of("claims"),
        "insured" | "claimant" => of("people"),
        "household" => of("households"),
        "visitor" => of("workers"),
        "objection" => Some("01890a5d-ac96-774b-bcce-b302099a8057".to_owned()),
        "peril" => Some("FIRE".to_owned()),
        "kind" | "kinds" => Some("PHOTOS".to_owned()),
        "sha256" => Some("0".repeat(64)),
        "insured_citizen_id" => Some("310199195112050137".to_owned()),
        _ => None,
    }
}

/// The walk over insurance's RPCs.
pub(crate) const WALK: Walk = Walk { service: "insurance", text };

#[tokio::test]
async fn every_rpc_refuses_strangers_and_tells_them_nothing() {
    let service = service(date(2020, 6, 1)).await;
    service.schemes().await;
    service
        .sql(
            "set local session_replication_role = replica;
             insert into programme (town, id, display_name, rank) values ('malu', 'c1', '试点保险', 9);
             insert into policy (town, id, programme, number, insurer, insurer_credit_code, starts, ends)
                 values ('malu', 'c1', 'c1', 'C1', 'o-insurer-0', '91310199MA9002009K', '2020-01-01', '2021-01-01')",
        )
        .await;
    let strangers = Strangers {
        elsewhere: service.token("stranger", "administrator", "town:other"),
        powerless: service.token("clerk", "department", "malu"),
        allowed: &[],
        townless: &[],
    };
    let seen = WALK.refuses(&service.peer, &strangers).await;
    assert!(seen > 70, "{seen} methods");
}
