//! What is refused, by its reason and with every fault at once; nothing of it is stored.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;
use tonic::Code;
use tonic_types::StatusExt;

use super::*;

fn faults(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let mut all: Vec<_> =
        violations.into_iter().map(|violation| (violation.field, violation.reason)).collect();
    all.sort();
    all
}

fn fields(status: &Status) -> Vec<String> {
    faults(status).into_iter().map(|(field, _)| field).collect()
}

#[tokio::test]
async fn a_bad_plan_is_told_all_its_faults() {
    let service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    let before = service.dump().await;
    let bad = pb::Campaign {
        title: "宣传\u{200b}".to_owned(),
        programmes: vec!["towns/malu/programmes/li".to_owned(); 2],
        committees: vec![committee("c1"), "c2".to_owned(), "towns/other/committees/c1".to_owned()],
        start_date: Some(harness::date(date(2020, 5, 1))),
        end_date: Some(harness::date(date(2020, 5, 1))),
        ..plan(&[])
    };
    let refused = client(&service).create_campaign(service.officer("o-1", create(bad))).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        fields(&refused),
        [
            "campaign.committees[1]",
            "campaign.committees[2]",
            "campaign.end_date",
            "campaign.programmes[1]",
            "campaign.title"
        ]
    );
    // what the contract itself says, before anything is read
    let empty = pb::Campaign { channels: vec![0], ..Default::default() };
    let refused = client(&service).create_campaign(service.officer("o-1", create(empty))).await.unwrap_err();
    assert_eq!(reason(&refused), "BAD_REQUEST");
    assert!(fields(&refused).len() >= 5, "{:?}", fields(&refused));

    for (campaign, expected) in [
        (plan(&["c1", "c9"]), "PEER_UNKNOWN"),
        (
            pb::Campaign { programmes: vec!["towns/malu/programmes/none".to_owned()], ..plan(&["c1"]) },
            "PROGRAMME_UNKNOWN",
        ),
    ] {
        let refused = client(&service).create_campaign(service.officer("o-1", create(campaign))).await;
        assert_eq!(reason(&refused.unwrap_err()), expected);
    }
    let dry = pb::CreateCampaignRequest { validate_only: true, ..create(plan(&["c1"])) };
    client(&service).create_campaign(service.officer("o-1", dry)).await.unwrap();
    assert_eq!(service.dump().await, before, "nothing of it is stored");
}

#[tokio::test]
async fn a_bad_placement_is_told_all_its_faults() {
    let service = service(date(2020, 3, 20)).await;
    service.schemes().await;
    let campaign = running(&service, plan(&["c1"])).await;
    let other = planned(&service, plan(&["c1"])).await;
    let days = (date(2020, 2, 28), date(2020, 5, 2));
    let mut bad = placement(&campaign, "c2", pb::OutreachChannel::Leaflet, days);
    if let Some(placement) = &mut bad.placement {
        placement.place = String::new();
        placement.documents = vec![
            "d-1".to_owned(),
            "towns/other/documents/d-1".to_owned(),
            "towns/malu/documents/d-1".to_owned(),
            photo(&service, &other, 1).await,
        ];
    }
    let before = service.dump().await;
    let refused = place(&service, service.officer("o-1", bad)).await.unwrap_err();
    let told = |field: &str, why: &str| (format!("placement.{field}"), why.to_owned());
    assert_eq!(
        faults(&refused),
        [
            told("channel", "NOT_OF_THE_CAMPAIGN"),
            told("committee", "NOT_OF_THE_CAMPAIGN"),
            told("documents[0]", "FORMAT"),
            told("documents[1]", "ANOTHER_TOWN"),
            told("documents[2]", "NOT_OF_THE_CAMPAIGN"),
            told("documents[3]", "NOT_OF_THE_CAMPAIGN"),
            told("end_date", "OUTSIDE_THE_CAMPAIGN"),
            told("place", "REQUIRED"),
            told("start_date", "OUTSIDE_THE_CAMPAIGN"),
        ]
    );
    let to_come = (date(2020, 3, 21), date(2020, 3, 21));
    let to_come = placement(&campaign, "c1", pb::OutreachChannel::Poster, to_come);
    let refused = place(&service, service.officer("o-1", to_come)).await.unwrap_err();
    assert_eq!(faults(&refused), [told("end_date", "ORDER")]);
    let to_come = (date(2020, 3, 21), date(2020, 3, 22));
    let to_come = placement(&campaign, "c1", pb::OutreachChannel::Poster, to_come);
    let refused = place(&service, service.officer("o-1", to_come)).await.unwrap_err();
    assert_eq!(faults(&refused), [told("start_date", "FUTURE")]);

    let good = (date(2020, 3, 5), date(2020, 3, 6));
    for (estate, expected) in
        [("towns/malu/estates/e-9", "PEER_UNKNOWN"), ("towns/malu/estates/e-2", "ESTATE_ELSEWHERE")]
    {
        let mut request = placement(&campaign, "c1", pb::OutreachChannel::Visit, good);
        if let Some(placement) = &mut request.placement {
            placement.estate = estate.to_owned();
        }
        let refused = place(&service, service.officer("o-1", request)).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
    }
    let mut many = placement(&campaign, "c1", pb::OutreachChannel::Visit, good);
    if let Some(placement) = &mut many.placement {
        (placement.copies, placement.households_reached) = (-1, 1_000_001);
    }
    let refused = place(&service, service.officer("o-1", many)).await.unwrap_err();
    assert_eq!(fields(&refused), ["placement.copies", "placement.households_reached"]);
    let stale = pb::RecordPlacementRequest {
        etag: other.etag,
        ..placement(&campaign, "c1", pb::OutreachChannel::Visit, good)
    };
    let refused = place(&service, service.officer("o-1", stale)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(service.dump().await, before, "nothing of it is stored");
}

#[tokio::test]
async fn a_bad_sample_is_told_all_its_faults() {
    let service = service(date(2020, 3, 20)).await;
    service.schemes().await;
    let planned = planned(&service, plan(&["c1"])).await;
    let early = sample(&planned, "c1", (10, 5), date(2020, 3, 20));
    let early = client(&service).record_awareness_sample(service.officer("o-1", early)).await.unwrap_err();
    assert_eq!(reason(&early), "WRONG_STATE");
    let campaign = client(&service).start_campaign(service.officer("o-1", start(&planned))).await.unwrap();
    let campaign = campaign.into_inner();
    let before = service.dump().await;
    let mut bad = sample(&campaign, "c2", (10, 11), date(2020, 3, 21));
    if let Some(sample) = &mut bad.awareness_sample {
        let heard = |channel: pb::OutreachChannel, people| pb::HeardBy { channel: channel.into(), people };
        sample.heard_by = vec![heard(pb::OutreachChannel::Other, 12), heard(pb::OutreachChannel::Other, 1)];
    }
    let refused = client(&service).record_awareness_sample(service.officer("o-1", bad)).await.unwrap_err();
    let told = |field: &str, why: &str| (format!("awareness_sample.{field}"), why.to_owned());
    assert_eq!(
        faults(&refused),
        [
            told("aware", "MORE_THAN_ASKED"),
            told("committee", "NOT_OF_THE_CAMPAIGN"),
            told("heard_by[0].people", "MORE_THAN_AWARE"),
            told("heard_by[1].channel", "REPEATED"),
            told("survey_date", "FUTURE"),
        ]
    );
    let nobody = sample(&campaign, "c1", (0, 0), date(2020, 2, 20));
    let nobody = client(&service).record_awareness_sample(service.officer("o-1", nobody)).await.unwrap_err();
    assert_eq!(fields(&nobody), ["awareness_sample.asked"]);
    let before_it = sample(&campaign, "c1", (10, 0), date(2020, 2, 29));
    let before_it = client(&service).record_awareness_sample(service.officer("o-1", before_it)).await;
    assert_eq!(faults(&before_it.unwrap_err()), [told("survey_date", "OUTSIDE_THE_CAMPAIGN")]);
    assert_eq!(service.dump().await, before, "nothing of it is stored");
}

#[tokio::test]
async fn an_officer_of_a_committee_plans_and_records_for_his_own_alone() {
    let service = service(date(2020, 3, 20)).await;
    service.schemes().await;
    let client = || client(&service);
    // a plan for his own, but not for others with it
    client().create_campaign(service.of_committee("w-1", "c1", create(plan(&["c1"])))).await.unwrap();
    for others in [&["c1", "c2"][..], &["c9"]] {
        let refused = client().create_campaign(service.of_committee("w-1", "c1", create(plan(others)))).await;
        assert_eq!(reason(&refused.unwrap_err()), "PERMISSION_DENIED", "{others:?}");
    }
    let shared = running(&service, plan(&["c1", "c2"])).await;
    let alien = running(&service, plan(&["c2"])).await;
    let list = pb::ListCampaignsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let seen = client().list_campaigns(service.of_committee("w-1", "c1", list)).await.unwrap().into_inner();
    assert_eq!(seen.campaigns.len(), 2);
    assert!(seen.campaigns.iter().all(|campaign| campaign.committees.contains(&committee("c1"))));
    // what lies elsewhere answers as what isn't there
    for name in [alien.name.clone(), format!("towns/malu/campaigns/{}", uuid())] {
        let hidden = pb::GetCampaignRequest { name };
        let hidden = client().get_campaign(service.of_committee("w-1", "c1", hidden)).await.unwrap_err();
        assert_eq!(reason(&hidden), "PERMISSION_DENIED");
    }
    // of a campaign with others he sees what is his, and does nothing with the whole of it
    let whole = client().complete_campaign(service.of_committee("w-1", "c1", complete(&shared))).await;
    assert_eq!(reason(&whole.unwrap_err()), "PERMISSION_DENIED");
    let off = client().cancel_campaign(service.of_committee("w-1", "c1", cancel(&shared, "不办了"))).await;
    assert_eq!(reason(&off.unwrap_err()), "PERMISSION_DENIED");
    let days = (date(2020, 3, 5), date(2020, 3, 9));
    let elsewhere = placement(&shared, "c2", pb::OutreachChannel::Poster, days);
    let elsewhere = place(&service, service.of_committee("w-1", "c1", elsewhere)).await.unwrap_err();
    assert_eq!(reason(&elsewhere), "PERMISSION_DENIED");
    for id in ["c1", "c2"] {
        let own = placement(&shared, id, pb::OutreachChannel::Poster, days);
        place(&service, service.of_committee("w", id, own)).await.unwrap();
        let own = sample(&shared, id, (10, 5), date(2020, 3, 20));
        client().record_awareness_sample(service.of_committee("w", id, own)).await.unwrap();
    }
    let get = pb::GetCampaignRequest { name: shared.name.clone() };
    let seen = client().get_campaign(service.of_committee("w-1", "c1", get)).await.unwrap().into_inner();
    assert_eq!((seen.placement_count, seen.awareness_sample_count), (1, 1));
    let action = |verb: &str| seen.available_actions.iter().find(|action| action.verb == verb).unwrap();
    assert!(action("recordPlacement").allowed && !action("complete").allowed);
    let list = pb::ListPlacementsRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let placements = client().list_placements(service.of_committee("w-1", "c1", list)).await.unwrap();
    let placements = placements.into_inner().placements;
    assert_eq!((placements.len(), &placements[0].committee), (1, &committee("c1")));
    let list = pb::ListAwarenessSamplesRequest { parent: "towns/malu".to_owned(), ..Default::default() };
    let samples = client().list_awareness_samples(service.of_committee("w-1", "c1", list)).await.unwrap();
    assert_eq!(samples.into_inner().awareness_samples.len(), 1);
    // a change may not take others in
    let own = planned(&service, plan(&["c1"])).await;
    let wider = pb::UpdateCampaignRequest {
        campaign: Some(pb::Campaign { name: own.name, etag: own.etag, ..plan(&["c1", "c2"]) }),
        ..Default::default()
    };
    let wider = client().update_campaign(service.of_committee("w-1", "c1", wider)).await.unwrap_err();
    assert_eq!(reason(&wider), "PERMISSION_DENIED");
}
