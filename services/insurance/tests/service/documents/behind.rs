//! Behind the service's back: what lies in the folder, and what the tables refuse.

use sqlx::{Connection, PgConnection};

use crate::harness::reason;

use super::{CLAIM, PART, filing, picture};

#[tokio::test]
async fn what_lies_there_is_sealed_and_bound_to_its_place() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(2 * PART));
    let stored = clerk.store(CLAIM, &content).await;
    let pending = clerk.send(super::declared(CLAIM, &content), &content).await.unwrap();
    let files = service.objects();
    assert_eq!(files.len(), 4);
    for file in &files {
        let lies = std::fs::read(file).unwrap();
        for piece in content.chunks(PART / 8).map(|piece| &piece[..32]) {
            assert!(!lies.windows(32).any(|window| window == piece), "readable without the key");
        }
        assert!(!file.to_string_lossy().contains("现场"));
    }
    let of = |name: &str| {
        let id = name.rsplit_once('/').unwrap().1;
        files.iter().filter(|file| file.to_string_lossy().contains(id)).cloned().collect::<Vec<_>>()
    };
    // two parts of one file, changed places; then the same part of two files; then a part that is cut, and one that is gone
    let swap = |one: &std::path::Path, two: &std::path::Path| {
        let (first, second) = (std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
        std::fs::write(one, second).unwrap();
        std::fs::write(two, first).unwrap();
    };
    let (mine, other) = (of(&stored.name), of(&pending.name));
    for (one, two) in [(&mine[0], &mine[1]), (&mine[0], &other[0])] {
        swap(one, two);
        assert_eq!(reason(&clerk.read(&stored.name).await.unwrap_err()), "INTERNAL");
        swap(one, two);
        assert_eq!(clerk.read(&stored.name).await.unwrap(), content);
    }
    swap(&other[0], &other[1]);
    assert_eq!(reason(&clerk.finish(&pending.name).await.unwrap_err()), "INTERNAL");
    swap(&other[0], &other[1]);
    let whole = std::fs::read(&mine[0]).unwrap();
    std::fs::write(&mine[0], &whole[..whole.len() - 1]).unwrap();
    assert_eq!(reason(&clerk.read(&stored.name).await.unwrap_err()), "INTERNAL");
    std::fs::remove_file(&mine[0]).unwrap();
    let refused = clerk.read(&stored.name).await.unwrap_err();
    assert_eq!(reason(&refused), "INTERNAL");
    let told = format!("{} {}", refused.message(), String::from_utf8_lossy(refused.details()));
    assert!(!told.contains("objects") && !told.contains(service.files().to_str().unwrap()), "{told}");
    clerk.finish(&pending.name).await.unwrap();
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_nothing_is_recorded() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    let name = clerk.create(super::declared(CLAIM, &content)).await.unwrap().name;
    let before = service.dump().await;
    // a file where the town's folder belongs
    std::fs::write(service.files().join("malu"), b"").unwrap();
    let refused = clerk.write(&name, 0, &content).await.unwrap_err();
    assert_eq!(reason(&refused), "UNAVAILABLE");
    assert!(!refused.message().contains("malu"), "{}", refused.message());
    assert_eq!(service.dump().await, before);
    std::fs::remove_file(service.files().join("malu")).unwrap();
    clerk.write(&name, 0, &content).await.unwrap();
    clerk.finish(&name).await.unwrap();
}

#[tokio::test]
async fn the_tables_hold_what_the_service_promises() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    clerk.store(CLAIM, &content).await;
    clerk.create(super::declared(CLAIM, &content)).await.unwrap();
    let part =
        "insert into document_part (town, document, n, object, from_byte, bytes, sha256) select town, id,";
    let sha = "sha256('') from document where state =";
    for (sql, constraint) in [
        ("update document set size_bytes = 99999 where state = 'PENDING'", "document_keeps_its_word"),
        ("update document set sha256 = sha256('x')", "document_keeps_its_word"),
        ("update document set owner = gen_random_uuid()", "document_keeps_its_word"),
        ("update document set kind = 'ID'", "document_keeps_its_word"),
        ("update document set state = 'PENDING' where state = 'STORED'", "document_keeps_its_word"),
        ("update document set state = 'DELETED', file_name_sealed = null, parts = 0, written_bytes = 0 where state = 'STORED'", "document_keeps_its_word"),
        ("update document set parts = 9 where state = 'STORED'", "document_keeps_its_word"),
        ("update document set state = 'STORED' where state = 'PENDING'", "document_stored_whole"),
        ("update document set state = 'STORED', written_bytes = size_bytes, parts = 1 where state = 'PENDING'", "document_counts_its_parts"),
        ("update document set state = 'DELETED' where state = 'PENDING'", "document_deleted_is_gone"),
        ("update document set file_name_sealed = null", "document_deleted_is_gone"),
        ("update document set written_bytes = size_bytes + 1 where state = 'PENDING'", "document_within_its_size"),
        ("insert into document (town, id, owner_kind, owner, kind, media_type, size_bytes, sha256, data_key, committees, insurers, created_by, created_person, file_name_sealed)
          values ('malu', gen_random_uuid(), 'CLAIM', gen_random_uuid(), 'ID', 'PDF', 20971521, sha256(''), 1, '{}', '{}', 'x', '', '')", "document_size_bytes_check"),
        ("delete from document", "document_is_kept"),
        ("update document_part set sha256 = sha256('')", "document_part_never_changes"),
        ("delete from document_part", "document_part_never_changes"),
        (&format!("{part} 1, gen_random_uuid(), 100000, 1, {sha} 'STORED'"), "document_part_never_changes"),
        (&format!("{part} 1, gen_random_uuid(), 0, 1, {sha} 'PENDING'"), "document_part_in_order"),
        (&format!("{part} 0, gen_random_uuid(), 7, 1, {sha} 'PENDING'"), "document_part_in_order"),
        (&format!("{part} 0, gen_random_uuid(), 0, 1, {sha} 'PENDING'"), "document_counts_its_parts"),
        (&format!("{part} 0, gen_random_uuid(), 0, 1048577, {sha} 'PENDING'"), "document_part_bytes_check"),
    ] {
        assert_eq!(service.constraint(sql).await, constraint, "{sql}");
    }
    let clerk_reads = "insert into document_reading (town, document, principal, read_on) select town, id, 'x', '2020-06-01' from document";
    service.sql(clerk_reads).await;
    assert_eq!(service.constraint("delete from document_reading").await, "document_reading_never_changes");
}

#[tokio::test]
async fn who_sees_it_follows_the_owner() {
    let service = filing().await;
    let (clerk, content) = (service.clerk("c1"), picture(100_000));
    let stored = clerk.store(CLAIM, &content).await;
    service.sql("update claim set committee = 'c3', insurers = '{o-insurer-0,o-insurer-1}' where committee = 'c1'").await;
    let mut owner = PgConnection::connect(&service.db.database.owner_url).await.unwrap();
    sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
    let claim = uuid::Uuid::parse_str(CLAIM.rsplit_once('/').unwrap().1).unwrap();
    insurance::document::owner::follow(&mut owner, "malu", insurance::document::owner::Kind::Claim, claim)
        .await
        .unwrap();
    assert_eq!(reason(&clerk.get(&stored.name).await.unwrap_err()), "PERMISSION_DENIED");
    service.clerk("c3").get(&stored.name).await.unwrap();
    let adjuster = super::Caller {
        service: &service,
        token: service.token("adjuster", "adjuster", "organisation:o-insurer-1"),
    };
    adjuster.get(&stored.name).await.unwrap();
}
