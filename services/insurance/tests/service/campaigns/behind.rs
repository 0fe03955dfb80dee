//! Behind the service's back a campaign stays what it is, by the constraints of the database.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::*;

#[tokio::test]
async fn behind_the_services_back_a_campaign_stays_what_it_is() {
    let service = service(date(2020, 3, 20)).await;
    service.schemes().await;
    let alone = planned(&service, plan(&["c1"])).await;
    let run = running(&service, plan(&["c1", "c2"])).await;
    let days = (date(2020, 3, 5), date(2020, 3, 9));
    let request = placement(&run, "c1", pb::OutreachChannel::Poster, days);
    let placed = place(&service, service.officer("o-1", request)).await.unwrap();
    let back = client(&service).remove_placement(service.officer("o-1", remove(&placed, "错"))).await;
    back.unwrap();
    let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
    let photo = id(&photo(&service, &alone, 1).await);
    let (plan, run) = (id(&alone.name), id(&run.name));
    let place = |what: &str| {
        format!(
            "insert into placement (town, id, campaign, committee, channel, place, shown_from, shown_to, recorded_by, recorded_on)
             select 'malu', gen_random_uuid(), {what}, 'p', '2020-03-20'"
        )
    };
    let at = |what: &str| format!("'{run}', {what}");
    let sampled = |what: &str| {
        format!(
            "insert into awareness_sample (town, id, campaign, committee, surveyed_on, asked, aware, recorded_by, recorded_on)
             select 'malu', '11111111-1111-1111-1111-111111111111', {what}, 'p', '2020-03-20'"
        )
    };
    let good_sample = sampled(&format!("'{run}', 'c1', '2020-03-20', 10, 4"));
    let heard = |people: i32, aware: i32| {
        format!(
            "{good_sample}; insert into awareness_channel (town, sample, aware, channel, people)
             values ('malu', '11111111-1111-1111-1111-111111111111', {aware}, 'POSTER', {people})"
        )
    };
    for (sql, constraint) in [
        ("update campaign set ends_on = starts_on where state = 'PLANNED'".to_owned(), "campaign_ends_after_it_starts"),
        (format!("update campaign set title = 'x' where id = '{run}'"), "campaign_plan_is_fixed"),
        (format!("update campaign set state = 'PLANNED', begun_on = null where id = '{run}'"), "campaign_keeps_its_beginning"),
        (format!("update campaign set state = 'COMPLETED', begun_on = '2020-03-20', closed_on = '2020-03-20' where id = '{plan}'"), "campaign_course"),
        (format!("update campaign set state = 'RUNNING' where id = '{plan}'"), "campaign_dated_as_its_state_says"),
        (format!("update campaign set state = 'RUNNING', begun_on = '2020-02-29' where id = '{plan}'"), "campaign_begins_within_its_days"),
        (format!("update campaign set state = 'CANCELLED', closed_on = '2020-03-20' where id = '{plan}'"), "campaign_cancelled_with_reason"),
        (format!("delete from campaign where id = '{run}'"), "campaign_is_kept"),
        (format!("update campaign set committee = 'c2' where id = '{plan}'"), "campaign_tells_its_committee"),
        (format!("insert into campaign_committee values ('malu', '{plan}', 'c2')"), "campaign_tells_its_committee"),
        (format!("delete from campaign_committee where campaign = '{plan}'"), "campaign_is_whole"),
        (format!("delete from campaign_channel where campaign = '{plan}'"), "campaign_is_whole"),
        (format!("delete from campaign_programme where campaign = '{plan}'"), "campaign_is_whole"),
        (format!("insert into campaign_committee values ('malu', '{run}', 'c3')"), "campaign_plan_is_fixed"),
        (format!("insert into campaign_channel values ('malu', '{run}', 'WECHAT')"), "campaign_plan_is_fixed"),
        (format!("update campaign_channel set channel = 'WECHAT' where campaign = '{plan}' and channel = 'VISIT'"), "campaign_plan_is_fixed"),
        (format!("delete from campaign_programme where campaign = '{run}'"), "campaign_plan_is_fixed"),
        (format!("insert into campaign_programme values ('malu', '{plan}', 'none')"), "campaign_programme_town_programme_fkey"),
        // a placement lies within its campaign
        (place(&at("'c3', 'POSTER', 'x', '2020-03-05', '2020-03-06'")), "placement_in_a_committee_of_the_campaign"),
        (place(&at("'c1', 'SCREEN', 'x', '2020-03-05', '2020-03-06'")), "placement_by_a_channel_of_the_campaign"),
        (place(&at("'c1', 'POSTER', 'x', '2020-02-29', '2020-03-06'")), "placement_within_the_campaign"),
        (place(&at("'c1', 'POSTER', 'x', '2020-03-05', '2020-05-02'")), "placement_within_the_campaign"),
        (place(&at("'c1', 'POSTER', 'x', '2020-03-05', '2020-03-05'")), "placement_ends_after_it_starts"),
        (place(&at("'c1', 'POSTER', 'x', '2020-03-21', '2020-03-22'")), "placement_was_there"),
        (place(&at("'c1', 'POSTER', '', '2020-03-05', '2020-03-06'")), "placement_says_where"),
        (place(&format!("'{plan}', 'c1', 'POSTER', 'x', '2020-03-05', '2020-03-06'")), "placement_of_a_running_campaign"),
        (
            format!(
                "update campaign set state = 'COMPLETED', closed_on = '2020-03-20' where id = '{run}'; {}",
                place(&at("'c1', 'POSTER', 'x', '2020-03-05', '2020-03-06'"))
            ),
            "placement_of_a_running_campaign",
        ),
        (
            format!("insert into placement_document select town, id, 1, '{photo}' from placement"),
            "placement_document_is_of_its_campaign",
        ),
        // and is never rewritten
        ("update placement set copies = 9".to_owned(), "placement_never_changes"),
        ("delete from placement".to_owned(), "placement_never_changes"),
        ("update placement_removal set reason = 'y'".to_owned(), "placement_removal_never_changes"),
        ("delete from placement_removal".to_owned(), "placement_removal_never_changes"),
        (
            "insert into placement_removal (town, placement, reason, removed_by, removed_on) select town, placement, 'z', 'p', '2020-03-20' from placement_removal".to_owned(),
            "placement_removed_once",
        ),
        // of a sample nobody is invented
        (sampled(&format!("'{run}', 'c1', '2020-03-20', 10, 11")), "awareness_sample_aware_are_among_the_asked"),
        (sampled(&format!("'{run}', 'c1', '2020-03-20', 0, 0")), "awareness_sample_asked_somebody"),
        (sampled(&format!("'{run}', 'c3', '2020-03-20', 10, 1")), "awareness_sample_in_a_committee_of_the_campaign"),
        (sampled(&format!("'{run}', 'c1', '2020-02-29', 10, 1")), "awareness_sample_after_the_campaign_began"),
        (sampled(&format!("'{run}', 'c1', '2020-03-21', 10, 1")), "awareness_sample_was_taken"),
        (sampled(&format!("'{plan}', 'c1', '2020-03-20', 10, 1")), "awareness_sample_of_a_campaign_that_began"),
        (heard(5, 4), "awareness_channel_people_are_among_the_aware"),
        (heard(5, 9), "awareness_channel_town_sample_aware_fkey"),
        (format!("{good_sample}; update awareness_sample set aware = 10"), "awareness_sample_never_changes"),
    ] {
        assert_eq!(service.constraint(&sql).await, constraint, "{sql}");
    }
}
