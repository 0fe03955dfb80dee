//! Programmes: what stands in the way of changing them.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::data::{cci_2020, li_2020};
use crate::harness::{reason, service, uuid};

#[tokio::test]
async fn a_programme_with_policies_stays_and_its_rank_too() {
    let service = service(date(2020, 3, 1)).await;
    service.both_programmes().await;
    let status = service.programme("third", "第三险种", 2).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_RANK_TAKEN");
    let update = |rank| pb::UpdateProgrammeRequest {
        programme: Some(pb::Programme {
            name: "towns/malu/programmes/cci".to_owned(),
            rank,
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["rank".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let moved = service.programmes().update_programme(service.officer("li", update(7))).await.unwrap();
    assert_eq!(moved.into_inner().rank, 7);
    let delete = |id: &str| pb::DeleteProgrammeRequest {
        name: format!("towns/malu/programmes/{id}"),
        request_id: uuid(),
        ..Default::default()
    };
    service.draft("li", "cci-2020", cci_2020()).await.unwrap();
    let status =
        service.programmes().delete_programme(service.officer("li", delete("cci"))).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_IN_USE");
    let draft = service.policy("cci-2020").await;
    service.sign("wang", &draft).await.unwrap();
    let status = service.programmes().update_programme(service.officer("li", update(8))).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_IN_USE");

    // one without policies goes, and gives its rank away
    let gone = service
        .programmes()
        .delete_programme(service.officer("li", delete("li")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(gone.state(), pb::ProgrammeState::Deleted);
    let status = service.draft("li", "li-2020", li_2020()).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_UNKNOWN");
    service.programme("third", "第三险种", 2).await.unwrap();
    let undelete = pb::UndeleteProgrammeRequest {
        name: gone.name.clone(),
        etag: gone.etag,
        request_id: uuid(),
        ..Default::default()
    };
    let status = service.programmes().undelete_programme(service.officer("li", undelete)).await.unwrap_err();
    assert_eq!(reason(&status), "PROGRAMME_RANK_TAKEN");
    let get = pb::GetProgrammeRequest { name: gone.name };
    let seen = service.programmes().get_programme(service.officer("li", get)).await.unwrap().into_inner();
    assert_eq!(seen.timeline.len(), 2);
    let list = pb::ListProgrammesRequest {
        parent: "towns/malu".to_owned(),
        filter: "state = \"ACTIVE\"".to_owned(),
        ..Default::default()
    };
    let page =
        service.programmes().list_programmes(service.adjuster("a", "o-insurer-0", list)).await.unwrap();
    let ranks: Vec<_> = page.into_inner().programmes.into_iter().map(|programme| programme.rank).collect();
    assert_eq!(ranks, [7, 2]);
}
