//! A resident's name and identity number, typed wherever a caller of the edge may mistake the place: no log, trace, metric or
//! error repeats them. (Everybody in the demonstration, over every RPC: governance's `canaries.rs`.)

use std::fs;

use crate::running::{LOG, open_dir, send, start_with};

/// A resident of the demonstration: name, the same in a URL, number.
const NAME: &str = "钱甲子";
const ENCODED: &str = "%E9%92%B1%E7%94%B2%E5%AD%90";
const NUMBER: &str = "310199195112050137";

fn silent(text: &str, place: &str) {
    for canary in [NAME, ENCODED, NUMBER] {
        assert!(
            !text.contains(canary),
            "{canary} in {place}: {}",
            text.chars().take(2_000).collect::<String>()
        );
    }
}

#[tokio::test]
async fn what_is_typed_in_the_wrong_place_is_repeated_nowhere() {
    let dir = open_dir();
    let settings = [
        ("LINLI_LOG", "info,chassis=trace,governance=trace,gateway=trace,linli=trace"),
        ("LINLI_LOG_FORMAT", "json"),
        ("LINLI_KEPT_TRACES", "1000"),
    ];
    let mut running = start_with(dir.path(), &["serve"], &settings);
    let token = format!("Bearer {}", running.token("town-officer"));
    let (json, grpc) = ("application/json", "application/grpc");
    let residences = "/v1/towns/malu/residences";
    let person = "/v1/towns/malu/people/r-00001";
    let mut cases: Vec<(&str, String, &str, String)> = Vec::new();
    for typed in [NUMBER, ENCODED] {
        for path in [
            format!("/v1/towns/malu/people/{typed}"),
            format!("/v1/towns/malu/people/{typed}:steward"),
            format!("/v1/towns/{typed}/people/r-00001"),
            format!("/v1/towns/malu/{typed}"),
            format!("/{typed}"),
            format!("/v1/services/{typed}/events"),
            format!("{residences}?filter={typed}"),
            format!("{residences}?filter=person%20%3D%20towns/malu/people/{typed}"),
            format!("{residences}?filter=person%20%3D%20%22{typed}%22%20AND"),
            format!("{residences}?page_token={typed}"),
            format!("{residences}?page_size={typed}"),
            format!("{residences}?as_of_date={typed}"),
            format!("{residences}?{typed}=1"),
            format!("{residences}?x{typed}=1"),
            format!("/v1/towns/malu/bodies?order_by={typed}"),
        ] {
            cases.push(("GET", path, json, String::new()));
        }
        cases.push(("PUT", format!("/v1/towns/malu/people/{typed}"), json, String::new()));
        for path in [
            format!("/{typed}"),
            format!("/linli.governance.v1.PersonService/{typed}"),
            format!("/linli.{typed}/Get"),
        ] {
            cases.push(("POST", path, grpc, String::new()));
        }
    }
    for body in [
        format!(r#"{{"citizenId":{NUMBER}}}"#),
        format!(r#"{{"citizenId":"{NUMBER}","citizenId":"{NUMBER}"}}"#),
        format!(r#"{{"{NUMBER}":1,"{NUMBER}":2}}"#),
        format!(r#"{{"{NAME}":1}}"#),
        format!(r#"{{"{NAME}":1,"{NAME}":2}}"#),
        format!(r#"{{"fullName":"{NAME}",}}"#),
        format!(r#"{{"fullName":["{NAME}"]}}"#),
        format!(r#"{{"fullName":"{NAME}","pageSize":"{NUMBER}"}}"#),
        format!(r#"{{"fullName":"{NAME}","citizenId":"{NUMBER}0"}}"#),
        format!(r#"{{"citizenId":"{NUMBER}"}}"#),
        format!(r#"{{"fullName":"{NAME}"}}"#),
    ] {
        cases.push(("POST", "/v1/towns/malu/people:search".to_owned(), json, body));
    }
    cases.push(("POST", format!("{person}:reveal"), json, r#"{"purpose":"核对"}"#.to_owned()));
    for body in [
        format!(r#"{{"sex":"{NAME}"}}"#),
        format!(r#"{{"sex":"{NUMBER}"}}"#),
        format!(r#"{{"fullName":"{NAME}","etag":"{NUMBER}"}}"#),
        format!(r#"{{"citizenId":"{NUMBER}"}}"#),
    ] {
        cases.push(("PATCH", person.to_owned(), json, body.clone()));
        cases.push(("PATCH", format!("{person}?update_mask={NUMBER},{ENCODED}"), json, body));
    }
    let (mut refused, mut traces) = (0, Vec::new());
    for (method, path, kind, body) in &cases {
        for language in ["zh", "en"] {
            let headers = [
                ("authorization", token.as_str()),
                ("content-type", kind),
                ("accept-language", language),
                ("x-what", NUMBER),
            ];
            let (status, trace, answer) =
                send(&running.gateway, method, path, &headers, body.clone().into_bytes()).await;
            if status >= 400 {
                refused += 1;
                silent(&answer, &format!("the answer to {method} {path} {body}"));
            }
            traces.push((trace, format!("{method} {path} {body}")));
        }
    }
    assert!(refused > 80, "{refused} of {} refused", traces.len());
    let mut spans = 0;
    for (trace, place) in traces {
        let (status, _, kept) =
            send(&running.admin, "GET", &format!("/traces/{trace}?format=json"), &[], Vec::new()).await;
        assert_eq!(status, 200, "the trace of {place}: {kept}");
        spans += kept.matches("span_id").count();
        silent(&kept, &format!("the trace of {place}"));
    }
    assert!(spans > 200, "{spans} spans");
    silent(&send(&running.admin, "GET", "/metrics", &[], Vec::new()).await.2, "the metrics");
    silent(&send(&running.gateway, "GET", "/openapi.json", &[], Vec::new()).await.2, "the OpenAPI document");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let log = fs::read_to_string(dir.path().join(LOG)).unwrap();
    assert!(log.contains("refused") && log.contains("event recorded"), "nothing was logged: {log}");
    silent(&log, "the log");
}
