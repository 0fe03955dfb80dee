//! Outreach: the life of a campaign, what is recorded under it and by whom, and what it comes to.

mod behind;
mod coverage;
mod demo;
mod races;
mod refused;

use chassis::peer::Peer;
use contracts::linli::insurance::v1::{self as pb, campaign_service_client::CampaignServiceClient};
use jiff::civil::{Date, date};
use tonic::{Request, Response, Status};

use crate::harness::{self, Service, reason, service, uuid};

fn client(service: &Service) -> CampaignServiceClient<Peer> {
    CampaignServiceClient::new(service.peer.clone())
}

fn committee(id: &str) -> String {
    format!("towns/malu/committees/{id}")
}

/// A campaign from 1 March 2020 until 1 May, by boards, posters and visits.
fn plan(committees: &[&str]) -> pb::Campaign {
    pb::Campaign {
        title: "民生综合保险进万家".to_owned(),
        programmes: vec!["towns/malu/programmes/li".to_owned()],
        channels: [
            pb::OutreachChannel::BulletinBoard,
            pb::OutreachChannel::Poster,
            pb::OutreachChannel::Visit,
        ]
        .map(i32::from)
        .to_vec(),
        committees: committees.iter().map(|id| committee(id)).collect(),
        start_date: Some(harness::date(date(2020, 3, 1))),
        end_date: Some(harness::date(date(2020, 5, 1))),
        ..Default::default()
    }
}

fn create(campaign: pb::Campaign) -> pb::CreateCampaignRequest {
    pb::CreateCampaignRequest {
        parent: "towns/malu".to_owned(),
        campaign: Some(campaign),
        request_id: uuid(),
        validate_only: false,
    }
}

async fn planned(service: &Service, campaign: pb::Campaign) -> pb::Campaign {
    let request = service.officer("o-1", create(campaign));
    client(service).create_campaign(request).await.unwrap().into_inner()
}

fn start(campaign: &pb::Campaign) -> pb::StartCampaignRequest {
    pb::StartCampaignRequest {
        name: campaign.name.clone(),
        etag: campaign.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    }
}

fn complete(campaign: &pb::Campaign) -> pb::CompleteCampaignRequest {
    pb::CompleteCampaignRequest {
        name: campaign.name.clone(),
        etag: campaign.etag.clone(),
        request_id: uuid(),
        ..Default::default()
    }
}

fn cancel(campaign: &pb::Campaign, why: &str) -> pb::CancelCampaignRequest {
    pb::CancelCampaignRequest {
        name: campaign.name.clone(),
        etag: campaign.etag.clone(),
        request_id: uuid(),
        comment: why.to_owned(),
        validate_only: false,
    }
}

/// A campaign that is under way.
async fn running(service: &Service, campaign: pb::Campaign) -> pb::Campaign {
    let planned = planned(service, campaign).await;
    client(service).start_campaign(service.officer("o-1", start(&planned))).await.unwrap().into_inner()
}

/// A placement by `channel` from `from` until `to`, that reached 100 households.
fn placement(
    campaign: &pb::Campaign,
    id: &str,
    channel: pb::OutreachChannel,
    (from, to): (Date, Date),
) -> pb::RecordPlacementRequest {
    pb::RecordPlacementRequest {
        name: campaign.name.clone(),
        request_id: uuid(),
        placement: Some(pb::Placement {
            committee: committee(id),
            channel: channel.into(),
            place: "东门".to_owned(),
            start_date: Some(harness::date(from)),
            end_date: Some(harness::date(to)),
            copies: 2,
            households_reached: 100,
            people_reached: 230,
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn place(
    service: &Service,
    request: Request<pb::RecordPlacementRequest>,
) -> Result<pb::Placement, Status> {
    client(service).record_placement(request).await.map(Response::into_inner)
}

/// A photograph that is stored for a campaign; its name.
async fn photo(service: &Service, campaign: &pb::Campaign, n: u8) -> String {
    let id = format!("00000000-0000-7000-8000-0000000000{n:02}");
    let owner = campaign.name.rsplit('/').next().unwrap();
    service
        .sql(&format!(
            "insert into document (town, id, owner_kind, owner, kind, media_type, size_bytes, sha256, file_name_sealed, data_key, committees,
                                   insurers, created_by, created_person)
             values ('malu', '{id}', 'CAMPAIGN', '{owner}', 'PHOTOS', 'PNG', 1, sha256('x'), 'x', 1, '{{c1}}', '{{}}', 'p', '');
             insert into document_part (town, document, n, object, from_byte, bytes, sha256)
                 values ('malu', '{id}', 0, gen_random_uuid(), 0, 1, sha256('x'));
             update document set written_bytes = 1, parts = 1 where id = '{id}';
             update document set state = 'STORED' where id = '{id}'"
        ))
        .await;
    format!("towns/malu/documents/{id}")
}

fn remove(placement: &pb::Placement, why: &str) -> pb::RemovePlacementRequest {
    pb::RemovePlacementRequest {
        name: placement.name.clone(),
        etag: placement.etag.clone(),
        request_id: uuid(),
        comment: why.to_owned(),
        validate_only: false,
    }
}

fn sample(
    campaign: &pb::Campaign,
    id: &str,
    (asked, aware): (i32, i32),
    day: Date,
) -> pb::RecordAwarenessSampleRequest {
    pb::RecordAwarenessSampleRequest {
        name: campaign.name.clone(),
        request_id: uuid(),
        awareness_sample: Some(pb::AwarenessSample {
            committee: committee(id),
            survey_date: Some(harness::date(day)),
            asked,
            aware,
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn get(service: &Service, name: &str) -> pb::Campaign {
    let request = pb::GetCampaignRequest { name: name.to_owned() };
    client(service).get_campaign(service.officer("o-1", request)).await.unwrap().into_inner()
}

/// Plans a campaign.
pub(crate) async fn try_plan(service: &Service) -> Result<(), Status> {
    client(service).create_campaign(service.officer("o-1", create(plan(&["c1"])))).await.map(drop)
}

/// Every verb of outreach, once.
pub(crate) async fn each_verb(service: &Service) {
    let today = service.clock.today();
    let days = (today, today.tomorrow().unwrap());
    let plan = pb::Campaign { start_date: Some(harness::date(today)), ..plan(&["c1"]) };
    let campaign = planned(service, plan.clone()).await;
    let update = pb::UpdateCampaignRequest {
        campaign: Some(pb::Campaign { title: "进社区".to_owned(), ..campaign }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title".to_owned()] }),
        request_id: uuid(),
        ..Default::default()
    };
    let mut client = client(service);
    let campaign = client.update_campaign(service.officer("o-1", update)).await.unwrap().into_inner();
    let campaign =
        client.start_campaign(service.officer("o-1", start(&campaign))).await.unwrap().into_inner();
    let poster = placement(&campaign, "c1", pb::OutreachChannel::Poster, days);
    let placed = place(service, service.officer("o-1", poster)).await.unwrap();
    let back = remove(&placed, "登记有误");
    client.remove_placement(service.officer("o-2", back)).await.unwrap();
    let asked = sample(&campaign, "c1", (100, 85), today);
    client.record_awareness_sample(service.officer("o-1", asked)).await.unwrap();
    let poster = placement(&campaign, "c1", pb::OutreachChannel::Poster, days);
    place(service, service.officer("o-1", poster)).await.unwrap();
    let campaign = get(service, &campaign.name).await;
    client.complete_campaign(service.officer("o-1", complete(&campaign))).await.unwrap();
    let other = planned(service, plan).await;
    client.cancel_campaign(service.officer("o-1", cancel(&other, "疫情防控"))).await.unwrap();
}

#[tokio::test]
async fn a_campaign_is_planned_changed_run_and_completed() {
    let service = service(date(2020, 2, 20)).await;
    service.schemes().await;
    let campaign = planned(&service, plan(&["c1", "c2"])).await;
    assert_eq!(campaign.state(), pb::CampaignState::Planned);
    let update = pb::UpdateCampaignRequest {
        campaign: Some(pb::Campaign {
            name: campaign.name.clone(),
            etag: campaign.etag.clone(),
            committees: vec![committee("c3"), committee("c1")],
            programmes: vec!["towns/malu/programmes/cci".to_owned()],
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["committees".to_owned(), "programmes".to_owned()],
        }),
        ..Default::default()
    };
    let changed =
        client(&service).update_campaign(service.officer("o-1", update)).await.unwrap().into_inner();
    assert_eq!(changed.committees, [committee("c1"), committee("c3")]);
    assert_eq!((&changed.title, changed.channels.len()), (&campaign.title, 3), "what isn't named stays");
    assert_ne!(changed.etag, campaign.etag);

    // not before its first day, and the caller is told so before he tries
    let early = client(&service).start_campaign(service.officer("o-1", start(&changed))).await.unwrap_err();
    assert_eq!(reason(&early), "CAMPAIGN_NOT_YET");
    let actions = get(&service, &changed.name).await.available_actions;
    let allowed = |verb: &str| actions.iter().find(|action| action.verb == verb).unwrap().allowed;
    assert_eq!((allowed("start"), allowed("cancel"), allowed("complete")), (false, true, false));

    service.clock.set(date(2020, 3, 2)).unwrap();
    let begun = client(&service).start_campaign(service.officer("o-1", start(&changed))).await.unwrap();
    let begun = begun.into_inner();
    assert_eq!(begun.begun_date, Some(harness::date(date(2020, 3, 2))));
    let march = (date(2020, 3, 1), date(2020, 4, 1));
    let poster = placement(&begun, "c1", pb::OutreachChannel::Poster, march);
    place(&service, service.of_committee("w-1", "c1", poster)).await.unwrap();
    let seen = get(&service, &begun.name).await;
    assert_eq!((seen.placement_count, seen.waiting_committees), (1, vec![committee("c3")]));

    let done = client(&service).complete_campaign(service.officer("o-1", complete(&begun))).await.unwrap();
    let done = done.into_inner();
    assert_eq!((done.state(), done.closed_date.is_some()), (pb::CampaignState::Completed, true));
    let late = placement(&done, "c1", pb::OutreachChannel::Poster, march);
    let late = place(&service, service.officer("o-1", late)).await.unwrap_err();
    assert_eq!(reason(&late), "WRONG_STATE");
    // but what people know of it is asked afterwards
    let asked = sample(&done, "c1", (100, 85), date(2020, 3, 2));
    let asked = client(&service).record_awareness_sample(service.officer("o-1", asked)).await.unwrap();
    let share = asked.into_inner().share.unwrap();
    assert_eq!((share.share_ppm, share.low_ppm, share.high_ppm), (850_000, 767_162, 906_941));
    let seen = get(&service, &done.name).await;
    assert_eq!(seen.awareness_sample_count, 1);
    let verbs: Vec<&str> = seen.timeline.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["create", "update", "start", "complete"]);
}

#[tokio::test]
async fn a_campaign_is_called_off_with_a_reason() {
    let service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    let campaign = running(&service, plan(&["c1"])).await;
    let silent = client(&service).cancel_campaign(service.officer("o-1", cancel(&campaign, " "))).await;
    assert_eq!(reason(&silent.unwrap_err()), "REASON_REQUIRED");
    let off = client(&service).cancel_campaign(service.officer("o-1", cancel(&campaign, "疫情防控"))).await;
    let off = off.unwrap().into_inner();
    assert_eq!((off.state(), off.reason.as_str()), (pb::CampaignState::Cancelled, "疫情防控"));
    let again = client(&service).start_campaign(service.officer("o-1", start(&off))).await.unwrap_err();
    assert_eq!(reason(&again), "WRONG_STATE");
}

#[tokio::test]
async fn a_placement_is_taken_back_once_and_both_stay() {
    let service = service(date(2020, 3, 20)).await;
    service.schemes().await;
    let campaign = running(&service, plan(&["c1"])).await;
    let days = (date(2020, 3, 5), date(2020, 3, 19));
    let mut request = placement(&campaign, "c1", pb::OutreachChannel::BulletinBoard, days);
    if let Some(placement) = &mut request.placement {
        placement.estate = "towns/malu/estates/e-1".to_owned();
        placement.documents = vec![photo(&service, &campaign, 2).await, photo(&service, &campaign, 1).await];
    }
    let wrong = place(&service, service.of_committee("w-1", "c1", request.clone())).await.unwrap();
    let documents = request.placement.as_ref().map(|placement| placement.documents.clone());
    assert_eq!(Some(wrong.documents.clone()), documents, "in their order");
    assert_eq!(wrong.estate, "towns/malu/estates/e-1");
    let again = place(&service, service.of_committee("w-1", "c1", request)).await.unwrap();
    assert_eq!(again.name, wrong.name, "the same request id is the same placement");

    let back = remove(&wrong, "登记错小区");
    let silent = pb::RemovePlacementRequest { comment: "  ".to_owned(), ..remove(&wrong, "") };
    let silent = client(&service).remove_placement(service.of_committee("w-1", "c1", silent)).await;
    assert_eq!(reason(&silent.unwrap_err()), "REASON_REQUIRED");
    let by_others = client(&service).remove_placement(service.of_committee("w-2", "c2", back.clone())).await;
    assert_eq!(reason(&by_others.unwrap_err()), "PERMISSION_DENIED");
    let removed = client(&service).remove_placement(service.of_committee("w-1", "c1", back)).await.unwrap();
    let removed = removed.into_inner();
    assert!(removed.removed && removed.etag != wrong.etag);
    assert_eq!(removed.remove_reason, "登记错小区");
    let twice = client(&service).remove_placement(service.officer("o-1", remove(&removed, "再来"))).await;
    assert_eq!(reason(&twice.unwrap_err()), "PLACEMENT_REMOVED");
    assert_eq!(get(&service, &campaign.name).await.placement_count, 0);

    // where it was, in words, stands in no event, audit record or stored answer that is told further
    for table in ["event", "audit", "history"] {
        let told = format!("select count(*) from {table} t where t::text like '%东门%'");
        assert_eq!(service.number(&told).await, 0, "{table}");
    }

    let list = |filter: &str| pb::ListPlacementsRequest {
        parent: "towns/malu".to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    for (filter, many) in
        [("", 1), ("removed = true AND channel = BULLETIN_BOARD", 1), ("removed = false", 0)]
    {
        let found = client(&service).list_placements(service.officer("o-1", list(filter))).await.unwrap();
        assert_eq!(found.into_inner().placements.len(), many, "{filter}");
    }
    let its = format!("campaign = {}", campaign.name);
    let found = client(&service).list_placements(service.officer("o-1", list(&its))).await.unwrap();
    assert_eq!(found.into_inner().placements, [removed]);
}

#[tokio::test]
async fn lists_ask_for_committee_channel_programme_state_and_days() {
    let service = service(date(2020, 3, 2)).await;
    service.schemes().await;
    let wide = planned(&service, plan(&["c1", "c2"])).await.name;
    let narrow = pb::Campaign {
        programmes: vec!["towns/malu/programmes/cci".to_owned()],
        channels: vec![pb::OutreachChannel::Wechat.into()],
        start_date: Some(harness::date(date(2020, 2, 1))),
        ..plan(&["c2"])
    };
    let narrow = running(&service, narrow).await.name;
    for (filter, expected) in [
        ("", vec![&wide, &narrow]),
        ("committee = towns/malu/committees/c1", vec![&wide]),
        ("committee = towns/malu/committees/c2", vec![&wide, &narrow]),
        ("committee != towns/malu/committees/c1", vec![&narrow]),
        ("channel = POSTER OR channel = WECHAT", vec![&wide, &narrow]),
        ("channel = POSTER AND NOT channel = VISIT", vec![]),
        ("NOT channel = POSTER", vec![&narrow]),
        ("channel != WECHAT", vec![&wide]),
        ("programme = towns/malu/programmes/cci", vec![&narrow]),
        ("state = RUNNING", vec![&narrow]),
        ("start_date < 2020-03-01", vec![&narrow]),
        ("committee = towns/other/committees/c1", vec![]),
    ] {
        let request = pb::ListCampaignsRequest {
            parent: "towns/malu".to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let found = client(&service).list_campaigns(service.officer("o-1", request)).await.unwrap();
        let found = found.into_inner().campaigns;
        let names: Vec<&String> = found.iter().map(|campaign| &campaign.name).collect();
        assert_eq!(names, expected, "{filter}");
    }
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListCampaignsRequest {
            parent: "towns/malu".to_owned(),
            page_size: 1,
            page_token,
            order_by: "name desc".to_owned(),
            ..Default::default()
        };
        let page =
            client(&service).list_campaigns(service.officer("o-1", request)).await.unwrap().into_inner();
        names.extend(page.campaigns.into_iter().map(|campaign| campaign.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, [narrow, wide]);
}
