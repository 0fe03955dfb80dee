//! Started, killed, started again, two at once, apart from each other.

use std::{fs, path::Path};

use rustix::process::{Pid, Signal, kill_process};

use crate::running::{open_dir, run, send, start, start_apart, start_with};

const COMMITTEE: &str = "/v1/towns/malu/committees/310114106001";

fn postmaster(dir: &Path) -> Option<u32> {
    fs::read_to_string(dir.join("postgres/data/postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

#[tokio::test]
async fn killed_it_leaves_no_orphan_and_loses_nothing() {
    let dir = open_dir();
    let mut first = start(dir.path());
    let (status, _, committee) = first.call("GET", COMMITTEE, "").await;
    assert_eq!(status, 200, "{committee}");
    let pid = postmaster(dir.path()).unwrap();
    first.child.kill().unwrap(); // SIGKILL
    first.child.wait().unwrap();
    let begun = std::time::Instant::now();
    while Path::new(&format!("/proc/{pid}")).exists() {
        assert!(begun.elapsed().as_secs() < 30, "Postgres {pid} is an orphan");
        std::thread::yield_now();
    }
    let second = start(dir.path());
    let (status, _, again) = second.call("GET", COMMITTEE, "").await;
    assert_eq!((status, again), (200, committee));
}

#[tokio::test]
async fn two_side_by_side_and_a_clear_word_on_the_same_directory() {
    let (one, other) = (open_dir(), open_dir());
    let (first, second) = (start(one.path()), start(other.path()));
    assert_ne!(first.gateway, second.gateway);
    let same = run(one.path(), &["serve"]);
    let said = String::from_utf8_lossy(&same.stderr).into_owned();
    assert!(
        !same.status.success() && said.contains("another suite runs on") && said.contains("LINLI_DATA_DIR"),
        "{said}"
    );
    assert_eq!(first.call("GET", COMMITTEE, "").await.0, 200);
    assert_eq!(second.call("GET", COMMITTEE, "").await.0, 200);
}

#[tokio::test]
async fn development_stays_on_loopback() {
    let dir = open_dir();
    let mut command = crate::running::linli(dir.path(), &["serve"]);
    let out = command.env("LINLI_GATEWAY_LISTEN", "0.0.0.0:0").output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("not a loopback address"), "{said}");
}

#[tokio::test]
async fn business_time_is_set_and_advanced_by_working_days() {
    let dir = open_dir();
    let running = start(dir.path());
    let clock = |arguments: &[&str]| {
        let out = run(dir.path(), arguments);
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(clock(&["clock", "set", "2020-09-25"]), "2020-09-25");
    assert_eq!(clock(&["clock", "advance", "5", "working-days"]), "2020-10-09");
    assert_eq!(clock(&["clock", "advance", "1"]), "2020-10-10");
    let (_, _, steward) = running.call("GET", "/v1/towns/malu/blocks/b-001-2:steward", "").await;
    assert!(steward.contains("workers/w-007"), "{steward}");
}

/// SIGTERM: the process ends by itself, and well.
#[tokio::test]
async fn asked_to_stop_it_drains_and_ends_well() {
    let dir = open_dir();
    let mut running = start(dir.path());
    assert_eq!(running.call("GET", COMMITTEE, "").await.0, 200);
    kill_process(Pid::from_raw(i32::try_from(running.child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
    assert!(running.child.wait().unwrap().success());
}

/// Each service as a process of its own, and the gateway before them. Every port is picked by the system and told by
/// the process that has it: one that is chosen beforehand can be another's by then.
#[tokio::test]
async fn processes_apart_give_one_trace() {
    let dir = open_dir();
    // the database, its schemas and the demonstration, then each service on its own
    drop(start(dir.path()));
    let governance = start_apart(dir.path(), "governance", &[]);
    let governance_url = ("LINLI_GOVERNANCE_URL", format!("http://{}", governance.gateway));
    let funding = start_apart(dir.path(), "funding", std::slice::from_ref(&governance_url));
    let files = dir.path().join("files");
    fs::create_dir(&files).unwrap();
    let files = ("LINLI_OBJECT_STORE", format!("file://{}", files.display()));
    let insurance = start_apart(dir.path(), "insurance", &[governance_url.clone(), files]);
    let workforce = start_apart(dir.path(), "workforce", std::slice::from_ref(&governance_url));
    let urls = [
        governance_url,
        ("LINLI_FUNDING_URL", format!("http://{}", funding.gateway)),
        ("LINLI_INSURANCE_URL", format!("http://{}", insurance.gateway)),
        ("LINLI_WORKFORCE_URL", format!("http://{}", workforce.gateway)),
    ];
    let gateway = start_apart(dir.path(), "gateway", &urls);
    let admin =
        [&governance, &funding, &insurance, &workforce, &gateway].map(|process| process.admin.clone());
    let gateway = &gateway.gateway;
    let token = String::from_utf8(run(dir.path(), &["token", "--as", "town-officer"]).stdout).unwrap();
    let token = format!("Bearer {}", token.trim());
    let call = async |path: &str| {
        let (status, trace, body) =
            send(gateway, "GET", path, &[("authorization", &token)], Vec::new()).await;
        assert_eq!(status, 200, "{path}: {body}");
        let mut arguments = vec!["trace", trace.as_str()];
        arguments.extend(admin.iter().flat_map(|port| ["--admin", port.as_str()]));
        let tree = String::from_utf8(run(dir.path(), &arguments).stdout).unwrap();
        let indents: Vec<usize> = tree.lines().map(|line| line.len() - line.trim_start().len()).collect();
        assert!(indents[0] == 0 && indents[1..].iter().all(|indent| *indent > 0), "one root:\n{tree}");
        tree
    };
    let tree = call(COMMITTEE).await;
    for part in ["[gateway]", "[governance]", "select c.town"] {
        assert!(tree.contains(part), "{part}:\n{tree}");
    }
    // whoever calls another service: it asks governance for his roles, with an account of its own
    for service in ["funding", "insurance", "workforce"] {
        let tree = call(&format!("/v1/services/{service}/events?town=towns/malu")).await;
        for part in [
            "[gateway]",
            &format!("EventService/ListEvents [{service}]"),
            &format!("ResolveGrants [{service}]"),
            "ResolveGrants [governance]",
        ] {
            assert!(tree.contains(part), "{part}:\n{tree}");
        }
    }
    // and for the people whom an event met
    let who = "person=towns/malu/people/r-00001&household=towns/malu/households/h-00001";
    let tree = call(&format!("/v1/towns/malu:checkCover?{who}&peril=FIRE&date=2020-02-14")).await;
    for part in ["CoverService/CheckCover [insurance]", "CheckResidence [governance]"] {
        assert!(tree.contains(part), "{part}:\n{tree}");
    }
}

#[tokio::test]
async fn one_process_serves_every_service() {
    let dir = open_dir();
    let running = start(dir.path());
    for service in ["governance", "funding", "insurance", "workforce"] {
        for (what, key) in [("reasons", "reasons"), ("stateTables", "stateTables")] {
            let path = format!("/v1/services/{service}/{what}");
            let (status, _, body) = send(&running.gateway, "GET", &path, &[], Vec::new()).await;
            assert!(status == 200 && body.contains(&format!("\"{key}\":[{{")), "{path}: {body}");
        }
        let (status, _, body) =
            running.call("GET", &format!("/v1/services/{service}/events?town=towns/malu"), "").await;
        assert_eq!(status, 200, "{body}");
        let (status, _, body) = running.call("GET", &format!("/v1/services/{service}/tables"), "").await;
        assert_eq!(status, 200, "{body}");
    }
    let (_, _, reasons) =
        send(&running.gateway, "GET", "/v1/services/funding/reasons", &[], Vec::new()).await;
    assert!(reasons.contains("linli.funding") && reasons.contains("MAKER_IS_CHECKER"), "{reasons}");
    let (status, _, ready) = send(&running.admin, "GET", "/ready", &[], Vec::new()).await;
    assert_eq!(status, 200, "{ready}");
    for service in ["governance", "funding", "insurance", "workforce"] {
        assert!(ready.contains(&format!("{service} database")), "{ready}");
    }
}

#[tokio::test]
async fn a_database_of_ones_own_is_used_and_no_other_started() {
    let (theirs, dir) = (open_dir(), open_dir());
    let options = devdb::Options { dir: theirs.path().join("db"), durable: false, connections: 50 };
    let server = devdb::Server::join_or_start(&options).unwrap();
    server.ensure_database("town").await.unwrap();
    let running = start_with(dir.path(), &["serve"], &[("LINLI_DATABASE_URL", &server.owner_url("town"))]);
    assert_eq!(running.call("GET", COMMITTEE, "").await.0, 200);
    assert!(!dir.path().join("postgres").exists());
}
