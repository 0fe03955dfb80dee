//! The demonstration data is what the service takes: each request of it goes through, in a town with the same committees and estates.

use contracts::linli::insurance::v1 as pb;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

use super::*;

const CAMPAIGNS: &str = include_str!("../../../../../deploy/demo/insurance/campaigns.json");

fn read<M: Message + Default>(name: &str, json: &Value) -> M {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
    let message = pool.get_message_by_name(&format!("linli.insurance.v1.{name}")).unwrap();
    let read = DynamicMessage::deserialize(message, json).unwrap();
    M::decode(read.encode_to_vec().as_slice()).unwrap()
}

/// The committees and estates of the data, as governance has them.
const PLACES: &str = "
    insert into committee (town, id, kind, founding_date)
        select 'malu', id, 'RESIDENTS_COMMITTEE', '2016-01-01' from unnest(array['310114106001', '310114106026', '310114106045']) id;
    insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
        select town, gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), id, 'a', 'FOUNDED' from committee where id like '3101%';
    insert into estate (town, id, life)
        select 'malu', id, '[2016-01-01,)' from unnest(array['e-yulan-1', 'e-yulan-2', 'e-xiwang-1', 'e-jindishijia']) id;
    insert into estate_period (town, id, estate, valid, recorded, display_name, committee)
        select 'malu', gen_random_uuid(), estate, '[2016-01-01,)', tstzrange(now(), null), estate, committee
        from (values ('e-yulan-1', '310114106001'), ('e-yulan-2', '310114106001'), ('e-xiwang-1', '310114106026'),
                     ('e-jindishijia', '310114106045')) as its (estate, committee)";

#[tokio::test]
async fn the_demonstration_goes_through_and_covers_its_committees() {
    let service = service(date(2020, 1, 2)).await;
    service.schemes().await;
    service.governance_sql(PLACES).await;
    let data: Value = serde_json::from_str(CAMPAIGNS).unwrap();
    let day = |value: &Value| value.as_str().map(|text| text.parse::<Date>().unwrap());
    for campaign in data["campaigns"].as_array().unwrap() {
        let planned = planned(&service, read("Campaign", &campaign["campaign"])).await;
        service.clock.set(day(&campaign["start_on"]).unwrap()).unwrap();
        let begun = client(&service).start_campaign(service.officer("o-1", start(&planned))).await.unwrap();
        let begun = begun.into_inner();
        service.clock.set(day(&campaign["record_on"]).unwrap()).unwrap();
        for given in campaign["placements"].as_array().unwrap() {
            let request = pb::RecordPlacementRequest {
                name: begun.name.clone(),
                request_id: uuid(),
                placement: Some(read("Placement", given)),
                ..Default::default()
            };
            place(&service, service.officer("o-1", request)).await.unwrap();
        }
        for given in campaign["awarenessSamples"].as_array().unwrap() {
            let request = pb::RecordAwarenessSampleRequest {
                name: begun.name.clone(),
                request_id: uuid(),
                awareness_sample: Some(read("AwarenessSample", given)),
                ..Default::default()
            };
            client(&service).record_awareness_sample(service.officer("o-1", request)).await.unwrap();
        }
        if let Some(end) = day(&campaign["complete_on"]) {
            service.clock.set(end).unwrap();
            client(&service).complete_campaign(service.officer("o-1", complete(&begun))).await.unwrap();
        }
    }
    let request = pb::GetOutreachCoverageRequest {
        parent: "towns/malu".to_owned(),
        start_date: Some(harness::date(date(2020, 1, 1))),
        end_date: Some(harness::date(date(2021, 1, 1))),
        ..Default::default()
    };
    let year = client(&service).get_outreach_coverage(service.officer("o-1", request)).await.unwrap();
    // the three committees of the data, and those of the harness, which had nothing
    assert_eq!(year.into_inner().uncovered_committees, [committee("c1"), committee("c2"), committee("c3")]);
}
