//! Claims of every kind under the two schemes of 2020, with what the service decides of each.

use insurance::{
    adjudication::{Cap, Caps, Cover, Decision, Facts, adjudicate},
    terms::{Benefit, Form, Ground, InsuredBy, Object, Residence, Terms},
};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use kernel::{
    money::{Fen, Ppm},
    state::Named,
};
use serde_json::{Value, json};

/// Kinds of events; the last one is covered by no policy.
const PERILS: [&str; 10] = [
    "FIRE",
    "TYPHOON",
    "BURST_PIPE",
    "PUBLIC_AREA_INJURY",
    "DEATH",
    "DISABILITY",
    "HIT_AND_RUN",
    "DROWNING",
    "RESCUE",
    "THEFT",
];

/// A policy with its rank, programme and insurer.
#[derive(Debug)]
pub(crate) struct Scheme {
    rank: i32,
    programme: &'static str,
    policy: &'static str,
    insurer: &'static str,
    terms: Terms,
}

/// A benefit without limits, for residents.
fn benefit(peril: &str, object: Object, form: Form) -> Benefit {
    Benefit {
        peril: peril.to_owned(),
        object,
        insured_by: InsuredBy::Residence,
        form,
        sum_insured: None,
        waiting_days: 0,
        limit_person_year: None,
        limit_household_year: None,
        limit_event: None,
    }
}

fn yuan(yuan: i64) -> Fen {
    Fen::of(yuan * 100)
}

fn loss(deductible: i64, percent: i64) -> Form {
    Form::Loss { deductible: yuan(deductible), share: Ppm::of(percent * 10_000) }
}

fn a_year(limit: i64, benefit: Benefit) -> Benefit {
    let limit = Some(yuan(limit));
    match benefit.object {
        Object::Person => Benefit { limit_person_year: limit, ..benefit },
        Object::Dwelling => Benefit { limit_household_year: limit, ..benefit },
    }
}

/// 社区综合保险 and 民生综合保险 for 2020, as `schemes.sql` has them in tables.
pub(crate) fn schemes() -> [Scheme; 2] {
    use Object::{Dwelling, Person};
    let fixed = |sum: i64| Form::Fixed(yuan(sum));
    let parts = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10].map(|percent| Ppm::of(percent * 10_000));
    let injury = a_year(20_000, benefit("PUBLIC_AREA_INJURY", Person, loss(0, 100)));
    let community = vec![
        a_year(30_000, benefit("FIRE", Dwelling, loss(500, 60))),
        a_year(10_000, benefit("BURST_PIPE", Dwelling, loss(200, 80))),
        a_year(30_000, benefit("TYPHOON", Dwelling, loss(500, 60))),
        Benefit { insured_by: InsuredBy::Place, limit_event: Some(yuan(200_000)), ..injury },
    ];
    let livelihood = vec![
        benefit("DEATH", Person, fixed(200_000)),
        benefit("DISABILITY", Person, Form::ByGrade { sum: yuan(200_000), parts }),
        a_year(100_000, benefit("HIT_AND_RUN", Person, loss(0, 100))),
        benefit("DROWNING", Person, fixed(30_000)),
        a_year(30_000, benefit("PUBLIC_AREA_INJURY", Person, loss(0, 80))),
        benefit("RESCUE", Person, fixed(250_000)),
        a_year(60_000, benefit("FIRE", Dwelling, loss(0, 80))),
        a_year(60_000, benefit("TYPHOON", Dwelling, loss(0, 80))),
    ];
    let terms = |report_within_days, benefits, limit_person_year: Option<i64>, limit_year| Terms {
        grounds: vec![Ground::Registered, Ground::ResidencePermit],
        report_within_days,
        benefits,
        limit_person_year: limit_person_year.map(yuan),
        limit_year: Some(yuan(limit_year)),
        ..Terms::default()
    };
    [
        Scheme {
            rank: 1,
            programme: "cci",
            policy: "cci-2020",
            insurer: "o-insurer-0",
            terms: terms(30, community, None, 3_000_000),
        },
        Scheme {
            rank: 2,
            programme: "li",
            policy: "li-2020",
            insurer: "o-insurer-1",
            terms: terms(60, livelihood, Some(250_000), 5_000_000),
        },
    ]
}

/// A claim as it meets the schemes.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    peril: &'static str,
    pub(crate) facts: Facts,
    pub(crate) covers: [Cover<'a>; 2],
    /// What was drawn on each limit before, of each scheme.
    used: [[i64; 7]; 2],
    schemes: &'a [Scheme; 2],
}

/// The first day of both policies, and the first no longer.
const YEAR: (Date, Date) = (date(2020, 1, 1), date(2021, 1, 1));

/// `n` claims: of every peril and grade, of small losses and of such that pass limits, late ones, of people who live elsewhere, with limits
/// that are untouched, nearly used up, used up.
pub(crate) fn cases(schemes: &[Scheme; 2], n: u64) -> Vec<Case<'_>> {
    (0..n).map(|n| case(schemes, n)).collect()
}

/// A number below `most` that looks like chance and is the same each time.
fn chance(n: u64, salt: u64, most: u64) -> u64 {
    // the mixing of SplitMix64
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) % most
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or_default()
}

fn case<'a>(schemes: &'a [Scheme; 2], n: u64) -> Case<'a> {
    let peril = PERILS[usize::try_from(chance(n, 1, 10)).unwrap_or(0)];
    let event_on = YEAR.0.saturating_add(signed(chance(n, 2, 366)).days());
    let late = if chance(n, 3, 20) == 0 { 65 } else { signed(chance(n, 4, 28)) };
    let ground = if chance(n, 5, 4) == 0 { Ground::ResidencePermit } else { Ground::Registered };
    let home = Residence { ground, since: date(2012, 3, 1) };
    let facts = Facts {
        event_on,
        reported_on: event_on.saturating_add(late.days()),
        assessed: Fen::of(signed(10_000 + chance(n, 6, 9_000_000))),
        grade: (peril == "DISABILITY").then(|| 1 + u8::try_from(chance(n, 7, 10)).unwrap_or_default()),
        residences: if chance(n, 8, 15) == 0 { Vec::new() } else { vec![home] },
        dwelling: None,
        in_place: peril == "PUBLIC_AREA_INJURY",
        documents_complete: chance(n, 9, 40) != 0,
        fixed_before: Fen::of(if chance(n, 10, 30) == 0 { 1_000_000 } else { 0 }),
    };
    let drawn = |scheme: &Scheme, salt: u64| {
        let percent = [0, 0, 0, 0, 40, 95, 100][usize::try_from(chance(n, salt, 7)).unwrap_or(0)];
        Cap::ORDER.map(|cap| {
            let limit = scheme.terms.benefit(peril).and_then(|benefit| cap.limit(benefit, &scheme.terms));
            limit.map_or(0, |limit| limit.fen() * percent / 100)
        })
    };
    let used = [drawn(&schemes[0], 11), drawn(&schemes[1], 12)];
    let cover = |scheme: &'a Scheme, used: [i64; 7]| Cover {
        rank: scheme.rank,
        from: YEAR.0,
        to: YEAR.1,
        terms: &scheme.terms,
        benefit: scheme.terms.benefit(peril),
        caps: caps(scheme, peril, used),
    };
    let covers = [cover(&schemes[0], used[0]), cover(&schemes[1], used[1])];
    Case { peril, facts, covers, used, schemes }
}

fn caps(scheme: &Scheme, peril: &str, used: [i64; 7]) -> Caps {
    let used = |cap: Cap| {
        let drawn = Cap::ORDER.into_iter().zip(used).find(|(which, _)| *which == cap);
        Fen::of(drawn.map_or(0, |(_, fen)| fen))
    };
    let benefit = scheme.terms.benefit(peril);
    benefit.map(|benefit| Caps::of(benefit, &scheme.terms, used)).unwrap_or_default()
}

impl Case<'_> {
    /// Works its limits out, as they are before each decision.
    pub(crate) fn limit(&mut self) {
        for ((cover, scheme), used) in self.covers.iter_mut().zip(self.schemes).zip(self.used) {
            cover.caps = caps(scheme, self.peril, used);
        }
    }

    /// What the service decides.
    pub(crate) fn decide(&self) -> Decision {
        adjudicate(&self.facts, &mut self.covers.clone())
    }

    fn object(&self) -> Object {
        let benefits = self.covers.iter().find_map(|cover| cover.benefit);
        benefits.map_or(Object::Person, |benefit| benefit.object)
    }

    /// The facts of the decision as its row keeps them.
    fn snapshot(&self) -> Value {
        let met = self.schemes.iter().zip(self.used).map(|(scheme, used)| {
            let benefit = scheme.terms.benefit(self.peril);
            let set = Cap::ORDER.into_iter().zip(used).filter(|(cap, _)| {
                benefit.and_then(|benefit| cap.limit(benefit, &scheme.terms)).is_some()
            });
            let used: serde_json::Map<String, Value> =
                set.map(|(cap, fen)| (cap.name().to_owned(), fen.into())).collect();
            json!({
                "programme": scheme.programme, "policy": scheme.policy, "version": 1, "insurer": scheme.insurer, "rank": scheme.rank,
                "from": YEAR.0.to_string(), "to": YEAR.1.to_string(), "used": used,
            })
        });
        let home = |home: &Residence| json!({"ground": home.ground.name(), "since": home.since.to_string()});
        let facts = &self.facts;
        json!({
            "peril": self.peril, "event_on": facts.event_on.to_string(), "reported_on": facts.reported_on.to_string(),
            "assessed_fen": facts.assessed.fen(), "grade": facts.grade, "homes": facts.residences.iter().map(home).collect::<Vec<_>>(),
            "in_place": facts.in_place, "documents_complete": facts.documents_complete, "fixed_before_fen": facts.fixed_before.fen(),
            "met": met.collect::<Vec<_>>(),
        })
    }

    /// Its columns, and those of its lines.
    pub(crate) fn rows(&self, k: usize) -> (Value, Vec<Value>) {
        let decision = self.decide();
        let knows = |scheme: &&Scheme| scheme.terms.benefit(self.peril).is_some();
        let insurers: Vec<&str> = self.schemes.iter().filter(knows).map(|scheme| scheme.insurer).collect();
        let claim = json!({
            "k": k, "peril": self.peril, "object": self.object().name(), "in_place": self.facts.in_place,
            "event_on": self.facts.event_on.to_string(), "reported_on": self.facts.reported_on.to_string(),
            "assessed": self.facts.assessed.fen(), "grade": self.facts.grade, "complete": self.facts.documents_complete,
            "insurers": insurers, "outcome": decision.outcome.name(), "rule": decision.rule.map(Named::name),
            "approved": decision.approved.fen(), "facts": self.snapshot(),
        });
        let lines = self.schemes.iter().zip(&decision.lines).zip(1..).map(|((scheme, line), n)| {
            let benefit = scheme.terms.benefit(self.peril);
            let steps = line.trace.steps().iter();
            let trace: Vec<Value> =
                steps.map(|step| json!([step.rule.name(), step.input, step.effect])).collect();
            json!({
                "k": k, "n": n, "programme": scheme.programme, "policy": scheme.policy, "insurer": scheme.insurer,
                "outcome": line.outcome.name(), "rule": line.rule.map(Named::name),
                "loss": benefit.is_some_and(|benefit| benefit.form.is_loss()), "seen": line.seen.fen(),
                "covered": line.covered.fen(), "approved": line.approved.fen(), "trace": trace,
            })
        });
        (claim, lines.collect())
    }
}
