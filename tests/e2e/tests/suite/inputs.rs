//! Bad input: a clear error each, and the suite goes on.

use std::{io::Write, net::TcpStream};

use crate::running::{open_dir, send, start};

/// Method, path, type and body; the status and the reason that they get.
type Case = (&'static str, &'static str, &'static str, Vec<u8>, u16, &'static str);

fn reason(body: &str) -> String {
    let json: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    json["error"]["details"][0]["reason"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bad_input_gets_a_clear_error_and_the_suite_goes_on() {
    let dir = open_dir();
    let running = start(dir.path());
    let token = format!("Bearer {}", running.token("town-officer"));
    let hand_over = "/v1/towns/malu/blocks/b-001-1:handOver";
    let deep = format!(r#"{{"steward":{}1{}}}"#, r#"{"a":"#.repeat(300), "}".repeat(300));
    let long = format!(r#"{{"displayName":"{}"}}"#, "x".repeat(1 << 20));
    let json = "application/json";
    let cases: Vec<Case> = vec![
        ("POST", hand_over, json, b"{".to_vec(), 400, "BAD_REQUEST"),
        ("POST", hand_over, json, b"\xff\xfe{}".to_vec(), 400, "INVALID_ENCODING"),
        ("POST", hand_over, json, deep.into_bytes(), 400, "BAD_REQUEST"),
        ("POST", hand_over, json, br#"{"etag":"v1","etag":"v2"}"#.to_vec(), 400, "BAD_REQUEST"),
        ("POST", hand_over, json, br#"{"favourite":1}"#.to_vec(), 400, "BAD_REQUEST"),
        ("POST", hand_over, json, b"{}".to_vec(), 400, "BAD_REQUEST"),
        ("POST", hand_over, "text/csv", b"a,b".to_vec(), 415, "INVALID_ENCODING"),
        ("PATCH", "/v1/towns/malu/communities/baiyin", json, long.into_bytes(), 400, "BAD_REQUEST"),
        ("GET", "/v1/towns/malu/committees?page_size=-1", json, Vec::new(), 400, "BAD_REQUEST"),
        ("GET", "/v1/towns/malu/committees?page_size=x", json, Vec::new(), 400, "BAD_REQUEST"),
        ("GET", "/v1/towns/malu/committees?favourite=1", json, Vec::new(), 400, "BAD_REQUEST"),
        ("GET", "/v1/towns/malu/committees?page_token=forged", json, Vec::new(), 400, "PAGE_TOKEN_INVALID"),
        (
            "GET",
            "/v1/towns/malu/committees?filter=state%20%3D%20CLOSED",
            json,
            Vec::new(),
            400,
            "FILTER_SYNTAX",
        ),
        ("GET", "/v1/towns/malu/committees?as_of_date=2020-02-30", json, Vec::new(), 400, "BAD_REQUEST"),
        ("GET", "/v1/towns/malu/committees/%FF", json, Vec::new(), 400, "INVALID_ENCODING"),
        ("GET", "/v1/towns/malu/nothing", json, Vec::new(), 404, "UNKNOWN_METHOD"),
        ("PUT", "/v1/towns/malu/committees", json, Vec::new(), 405, "UNKNOWN_METHOD"),
        ("GET", "/v1/towns/malu/committees/999999999999", json, Vec::new(), 404, "NOT_FOUND"),
        ("POST", hand_over, json, vec![b' '; (16 << 20) + 1], 413, "INVALID_ENCODING"),
    ];
    for (method, path, kind, body, status, expected) in cases {
        let headers = [("authorization", token.as_str()), ("content-type", kind), ("accept-language", "en")];
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let (found, trace, answer) = send(&running.gateway, method, path, &headers, body).await;
        assert_eq!(
            (found, reason(&answer).as_str()),
            (status, expected),
            "{method} {path} {shown}: {answer}"
        );
        assert_eq!(trace.len(), 32, "{method} {path} has its trace id");
    }
    let zipped = [("authorization", token.as_str()), ("content-type", json), ("content-encoding", "gzip")];
    assert_eq!(send(&running.gateway, "POST", hand_over, &zipped, vec![0x1f, 0x8b, 8, 0]).await.0, 415);
    // headers that never end
    let mut slow = TcpStream::connect(&running.gateway).unwrap();
    slow.write_all(b"GET /v1/towns HTTP/1.1\r\nhost: x\r\nx: ").unwrap();
    let (status, _, _) = running.call("GET", "/v1/towns", "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn pages_say_that_the_data_is_for_demonstration() {
    let dir = open_dir();
    let running = start(dir.path());
    for (address, path) in [(&running.gateway, "/openapi.json"), (&running.admin, "/traces")] {
        let (status, _, body) = send(address, "GET", path, &[], Vec::new()).await;
        assert!(status == 200 && body.contains("示例数据"), "{path}");
    }
    let (_, _, town) = running.call("GET", "/v1/towns/malu", "").await;
    let (_, _, export) = running
        .call("GET", "/v1/services/governance/tables:export?town=towns/malu&table=committees", "")
        .await;
    assert!(town.contains("示例数据") && export.contains("示例数据"), "{town} {}", &export[..200]);
    let (_, _, workbook) = running
        .call(
            "GET",
            "/v1/services/governance/tables:export?town=towns/malu&table=committees&format=TABLE_FORMAT_XLSX",
            "",
        )
        .await;
    assert!(workbook.contains("malu-committees-示例数据.xlsx"), "{}", &workbook[..200]);
    assert!(workbook.contains("\"content\":\"UEsDB"), "an archive in base64: {}", &workbook[..200]);
    let (status, _, ready) = send(&running.admin, "GET", "/ready", &[], Vec::new()).await;
    assert!(status == 200 && ready.contains("true"), "{ready}");
    let (_, _, metrics) = send(&running.admin, "GET", "/metrics", &[], Vec::new()).await;
    assert!(metrics.contains("rpc_server_call_duration_seconds_bucket"), "{metrics}");
}
