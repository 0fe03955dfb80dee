//! What a period came to, committee by committee.

use contracts::linli::insurance::v1 as pb;
use jiff::civil::date;

use super::*;

fn asked(from: Date, to: Date) -> pb::GetOutreachCoverageRequest {
    pb::GetOutreachCoverageRequest {
        parent: "towns/malu".to_owned(),
        start_date: Some(harness::date(from)),
        end_date: Some(harness::date(to)),
        ..Default::default()
    }
}

async fn covered(service: &Service, request: pb::GetOutreachCoverageRequest) -> pb::OutreachCoverage {
    client(service).get_outreach_coverage(service.officer("o-1", request)).await.unwrap().into_inner()
}

/// `c1` declared 150 households, `c2` 600, `c3` none; c1 and c2 had placements in March, c1 also at the end of April.
async fn done(service: &Service) -> pb::Campaign {
    service.schemes().await;
    service
        .governance_sql(
            "insert into household_count (town, id, committee, valid_on, households, source, recorded) values
                 ('malu', gen_random_uuid(), 'c1', '2019-12-31', 150, 'declaration', tstzrange(now(), null)),
                 ('malu', gen_random_uuid(), 'c2', '2019-12-31', 600, 'declaration', tstzrange(now(), null))",
        )
        .await;
    let campaign = running(service, plan(&["c1", "c2", "c3"])).await;
    let poster = pb::OutreachChannel::Poster;
    for (id, channel, days) in [
        ("c1", poster, (date(2020, 3, 5), date(2020, 3, 15))),
        ("c1", poster, (date(2020, 3, 10), date(2020, 3, 20))),
        ("c1", pb::OutreachChannel::Visit, (date(2020, 3, 18), date(2020, 3, 22))),
        ("c1", poster, (date(2020, 4, 20), date(2020, 5, 1))),
        ("c2", pb::OutreachChannel::BulletinBoard, (date(2020, 3, 1), date(2020, 4, 1))),
    ] {
        place(service, service.officer("o-1", placement(&campaign, id, channel, days))).await.unwrap();
    }
    // one that was recorded wrongly counts nowhere
    let wrong = placement(&campaign, "c3", poster, (date(2020, 3, 5), date(2020, 3, 9)));
    let wrong = place(service, service.officer("o-1", wrong)).await.unwrap();
    client(service).remove_placement(service.officer("o-1", remove(&wrong, "错"))).await.unwrap();
    for (people, day) in
        [((50, 20), date(2020, 3, 25)), ((100, 60), date(2020, 3, 31)), ((100, 70), date(2020, 3, 31))]
    {
        let asked = sample(&campaign, "c1", people, day);
        client(service).record_awareness_sample(service.officer("o-1", asked)).await.unwrap();
    }
    campaign
}

#[tokio::test]
async fn coverage_counts_days_once_and_names_the_committees_without_anything() {
    let service = service(date(2020, 4, 30)).await;
    done(&service).await;
    let all = covered(&service, asked(date(2020, 3, 1), date(2020, 4, 1))).await;
    let names: Vec<&str> = all.committees.iter().map(|of| of.committee.as_str()).collect();
    assert_eq!(names, ["towns/malu/committees/c1", "towns/malu/committees/c2", "towns/malu/committees/c3"]);
    assert_eq!(all.uncovered_committees, [committee("c3")]);
    let c1 = &all.committees[0];
    // 5 to 19 March by poster, 18 to 21 by visits: 17 days in all
    let days: Vec<(pb::OutreachChannel, i32, i32)> =
        c1.channels.iter().map(|by| (by.channel(), by.placement_count, by.days_shown)).collect();
    assert_eq!(days, [(pb::OutreachChannel::Poster, 2, 15), (pb::OutreachChannel::Visit, 1, 4)]);
    assert_eq!((c1.placement_count, c1.days_shown, c1.people_reached, c1.uncovered), (3, 17, 690, false));
    // 100 households at least, 300 at most: but no more than there are
    assert_eq!(
        (c1.declared_households, c1.households_reached_least, c1.households_reached_most),
        (Some(150), 100, 150)
    );
    assert_eq!((c1.reached_least_ppm, c1.reached_most_ppm), (Some(666_667), Some(1_000_000)));
    let aware = c1.awareness.as_ref().unwrap();
    assert_eq!((aware.aware, aware.asked), (70, 100), "of one day the sample that was recorded last");
    let share = aware.share.unwrap();
    assert_eq!((share.share_ppm, share.low_ppm, share.high_ppm), (700_000, 604_149, 781_053));
    let c2 = &all.committees[1];
    assert_eq!((c2.days_shown, c2.reached_most_ppm, c2.awareness.is_some()), (31, Some(166_667), false));
    let c3 = &all.committees[2];
    assert_eq!((c3.uncovered, c3.declared_households, c3.reached_least_ppm), (true, None, None));

    // in April what reaches into it, of which only the days within count; the samples of before are the last
    let april = covered(&service, asked(date(2020, 4, 1), date(2020, 4, 30))).await;
    assert_eq!(april.committees[0].days_shown, 10);
    assert_eq!(april.committees[0].awareness.as_ref().map(|sample| sample.aware), Some(70));
    assert_eq!(april.uncovered_committees, [committee("c2"), committee("c3")]);
    let early = covered(&service, asked(date(2020, 3, 1), date(2020, 3, 26))).await;
    assert_eq!(early.committees[0].awareness.as_ref().map(|sample| sample.aware), Some(20));
}

#[tokio::test]
async fn coverage_is_of_one_committee_or_programme_and_comes_in_pages() {
    let service = service(date(2020, 4, 30)).await;
    done(&service).await;
    let march = asked(date(2020, 3, 1), date(2020, 4, 1));
    let one = pb::GetOutreachCoverageRequest { committee: committee("c2"), ..march.clone() };
    let one = covered(&service, one).await;
    assert_eq!((one.committees.len(), one.committees[0].days_shown), (1, 31));
    let programme = |id: &str| pb::GetOutreachCoverageRequest {
        programme: format!("towns/malu/programmes/{id}"),
        ..march.clone()
    };
    let other = covered(&service, programme("cci")).await;
    assert_eq!(other.uncovered_committees.len(), 3, "the campaign is for the other programme");
    assert!(other.committees[0].awareness.is_none());
    assert_eq!(covered(&service, programme("li")).await.uncovered_committees, [committee("c3")]);
    let lacking = pb::GetOutreachCoverageRequest { uncovered_only: true, ..march.clone() };
    let lacking = covered(&service, lacking).await;
    assert_eq!((lacking.committees.len(), &lacking.committees[0].committee), (1, &committee("c3")));

    let whole = covered(&service, march.clone()).await;
    let mut pages = Vec::new();
    let mut next = march.clone();
    next.page_size = 1;
    loop {
        let page = covered(&service, next.clone()).await;
        assert_eq!(page.committees.len(), 1);
        pages.extend(page.committees);
        if page.next_page_token.is_empty() {
            break;
        }
        next.page_token = page.next_page_token;
    }
    assert_eq!(pages, whole.committees);
    next.uncovered_only = true;
    let another = client(&service).get_outreach_coverage(service.officer("o-1", next)).await.unwrap_err();
    assert_eq!(reason(&another), "PAGE_TOKEN_INVALID");

    // an officer of a committee sees his own
    let own = client(&service).get_outreach_coverage(service.of_committee("w-2", "c2", march.clone())).await;
    let own = own.unwrap().into_inner();
    assert_eq!((own.committees.len(), &own.committees[0].committee), (1, &committee("c2")));
    let alien = pb::GetOutreachCoverageRequest { committee: committee("c1"), ..march };
    let alien = client(&service).get_outreach_coverage(service.of_committee("w-2", "c2", alien)).await;
    assert_eq!(reason(&alien.unwrap_err()), "PERMISSION_DENIED");
    let backwards = asked(date(2020, 4, 1), date(2020, 4, 1));
    let backwards = client(&service).get_outreach_coverage(service.officer("o-1", backwards)).await;
    assert_eq!(reason(&backwards.unwrap_err()), "BAD_REQUEST");
}
