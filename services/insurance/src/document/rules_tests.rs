//! What the rules of documents promise, for any file and any parts.

use proptest::prelude::*;

use super::*;

fn declared(content: &[u8], media: Media) -> Declared {
    Declared { size: content.len() as u64, sha256: Sha256::digest(content).into(), media }
}

fn passing(content: &[u8], piece: usize) -> Passing {
    let mut passing = Passing::new();
    content.chunks(piece.max(1)).for_each(|piece| passing.take(piece));
    passing
}

fn magic(media: Media) -> &'static [u8] {
    match media {
        Media::Pdf => b"%PDF-1.7 ",
        Media::Jpeg => b"\xFF\xD8\xFF\xE0....",
        Media::Png => b"\x89PNG\r\n\x1a\n....",
    }
}

fn any_media() -> impl Strategy<Value = Media> {
    prop::sample::select(<Media as kernel::state::Named>::ALL)
}

proptest! {
    #[test]
    fn a_file_is_what_it_was_declared_however_it_is_cut(media in any_media(), rest in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..40) {
        let content = [magic(media), &rest].concat();
        prop_assert!(passing(&content, piece).compare(&declared(&content, media)).is_empty());
    }

    #[test]
    fn whatever_was_declared_otherwise_is_named(media in any_media(), other in any_media(), rest in prop::collection::vec(any::<u8>(), 1..300), at in any::<prop::sample::Index>(), piece in 1usize..40) {
        let content = [magic(media), &rest].concat();
        let good = declared(&content, media);
        // another byte behind the head
        let mut changed = content.clone();
        let place = magic(media).len() + at.index(rest.len());
        changed[place] ^= 1;
        prop_assert_eq!(passing(&changed, piece).compare(&good), vec![Mismatch::Hash]);
        prop_assert_eq!(passing(&content[..content.len() - 1], piece).compare(&good), vec![Mismatch::Size, Mismatch::Hash]);
        let told = passing(&content, piece).compare(&Declared { media: other, ..good });
        prop_assert_eq!(told, if media == other { vec![] } else { vec![Mismatch::Form] });
    }

    #[test]
    fn a_head_that_is_cut_short_is_of_no_form(media in any_media(), cut in 0usize..3) {
        prop_assert!(!media.begins(&magic(media)[..cut]));
    }

    #[test]
    fn parts_that_are_let_in_fill_the_file_and_no_more(size in 1..=FILE, cuts in prop::collection::vec(0usize..PART + 2, 0..60)) {
        let (mut written, mut parts) = (0u64, 0u64);
        for bytes in cuts {
            if place(size, written, written, bytes).is_ok() {
                written += bytes as u64;
                parts += 1;
            }
        }
        prop_assert!(written <= size);
        // all but the last have their least
        prop_assert!(parts <= size / LEAST as u64 + 1);
        // what is left always fits into a next part
        let left = usize::try_from((size - written).min(PART as u64)).unwrap();
        prop_assert_eq!(place(size, written, written, left).is_ok(), written < size);
    }

    #[test]
    fn a_part_begins_where_what_is_there_ends(size in 1..=FILE, written in 0..=FILE, offset in any::<u64>(), bytes in 0usize..PART + 2) {
        let placed = place(size, written, offset, bytes);
        prop_assert_eq!(placed == Err(Misplaced::Offset), offset != written);
        if placed.is_ok() {
            prop_assert!(written + bytes as u64 <= size && bytes <= PART);
        }
    }

    #[test]
    fn a_masked_name_shows_one_sign(name in "[\u{4e00}-\u{9fff}a-z]{2,30}(\\.[a-z]{3})?", media in any_media()) {
        let shown = masked(&name, media);
        let first: String = name.chars().take(1).collect();
        prop_assert!(shown.starts_with(&first) && shown.ends_with(media.extension()));
        let stem = shown.rsplit_once('.').unwrap().0;
        prop_assert!(stem.chars().skip(1).all(|c| c == '*'));
    }

    #[test]
    fn a_purpose_never_repeats_the_name(before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
        let kept = purpose(&format!("{before}身份证张三.jpg{after}\n{before}身份证张三{after}"), "身份证张三.jpg");
        prop_assert!(!kept.contains("张三") && !kept.contains('\n'));
    }
}

#[test]
fn the_table_holds_together_and_evidence_stays() {
    assert!(TABLE.faults().is_empty());
    for kept in [State::Stored, State::Void] {
        for verb in [Verb::Write, Verb::Finish, Verb::Delete] {
            assert!(TABLE.next(kept, verb).is_err());
        }
        assert_eq!(TABLE.next(kept, Verb::Read), Ok(kept));
    }
    assert!(TABLE.allowed(State::Deleted).next().is_none());
    assert!(TABLE.next(State::Pending, Verb::Read).is_err());
}

#[test]
fn codes_and_hashes_have_their_form() {
    assert!(is_kind("ID") && is_kind("HOSPITAL_2"));
    for wrong in ["", "id", "2ID", "ID ", "身份证", &"A".repeat(64)] {
        assert!(!is_kind(wrong), "{wrong}");
    }
    assert_eq!(sha256(&"0a".repeat(32)), Some([10; 32]));
    for wrong in ["", "0a", &"0a".repeat(33), &"0g".repeat(32)] {
        assert_eq!(sha256(wrong), None, "{wrong}");
    }
}
