//! The decision of a claim, held against its row; an appeal; the notice and what is objected during it.

use serde_json::{Value, json};

use super::{
    Case, Year,
    agenda::{Agenda, Step},
    claims::{reason, without},
    id, short, state,
};
use crate::{
    Done,
    walk::{
        caller::{Answer, day, fen, list, told, yuan},
        same,
    },
};

/// The amount of the line of a programme in the last decision; nothing where it has none.
pub(super) fn approved(claim: &Value, programme: &str) -> String {
    let decision = list(claim, "decisions").last();
    let line =
        decision.and_then(|its| list(its, "lines").iter().find(|line| id(&line["programme"]) == programme));
    yuan(line.map_or(&Value::Null, |line| &line["approvedAmount"]))
}

fn expected_of(case: &Case, programme: &str) -> String {
    let expected = &case.row[&format!("expected_{programme}")];
    if expected.is_empty() { "0.00".to_owned() } else { expected.clone() }
}

/// The decision is that of the row: what each scheme pays, and by which rule it pays nothing.
fn compare(code: &str, case: &Case, claim: &Value) -> Done {
    same(code, state(claim), "ADJUDICATED")?;
    for programme in ["cci", "li"] {
        same(&format!("{code} {programme}"), approved(claim, programme), expected_of(case, programme))?;
    }
    let outcome = match case.row["expected_outcome"].as_str() {
        "REJECTED" => "REJECTED",
        "PAID_IN_PART" => "IN_PART",
        _ => "APPROVED",
    };
    same(code, short(&claim["outcome"], "CLAIM_OUTCOME_"), outcome)?;
    if outcome == "REJECTED" {
        same(code, claim["rule"].as_str(), Some(reason(&case.row)))?;
    }
    Ok(())
}

/// How a decision came about, in words.
fn trace(claim: &Value) {
    for line in list(claim, "decisions").last().map(|its| list(its, "lines")).unwrap_or_default() {
        for step in list(line, "trace") {
            println!("    {} {}: {}", id(&line["programme"]), told(&step["rule"]), told(&step["textEn"]));
        }
    }
}

impl Year<'_> {
    /// Decides: by neither who surveyed nor who assessed.
    pub(super) async fn adjudicate(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let own = self.handler(case, 2)?.act(&case.name, "adjudicate", json!({})).await?;
        same("decided by who assessed", own.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
        if !without(&case.row).is_empty() {
            return self.without_documents(agenda, code).await;
        }
        self.handler(case, 3)?.does(&case.name, "adjudicate", json!({})).await?;
        self.decided(agenda, code).await
    }

    /// Holds the decision against its row, and goes on: a notice, or the end of the term of an appeal.
    async fn decided(&self, agenda: &mut Agenda, code: &str) -> Done {
        let (case, claim) = (self.case(code)?, self.read(code).await?);
        compare(code, case, &claim)?;
        println!(
            "{code} {} {}: claimed {}, cci {}, li {}{}",
            case.number,
            told(&claim["peril"]),
            if case.row["claimed_yuan"].is_empty() { "-" } else { &case.row["claimed_yuan"] },
            approved(&claim, "cci"),
            approved(&claim, "li"),
            claim["rule"]
                .as_str()
                .filter(|rule| !rule.is_empty())
                .map_or(String::new(), |rule| format!(", {rule}")),
        );
        if code == "cl-01" {
            trace(&claim);
        }
        if fen(&claim["approvedAmount"]) > 0 {
            return agenda.then(Step::Publish(code.to_owned()));
        }
        let early = self.officer(1)?.act(&case.name, "close", json!({})).await?;
        same("closed while it may be appealed", early.err().as_deref(), Some("APPEAL_OPEN"))?;
        let end = day(&claim["appealEndDate"])?;
        agenda.on(&end.tomorrow()?.to_string(), Step::Close(code.to_owned()));
        Ok(())
    }

    /// Without its documents it isn't decided, unless somebody says so: then it is rejected for them.
    async fn without_documents(&self, agenda: &mut Agenda, code: &str) -> Done {
        let (case, adjuster) = (self.case(code)?, self.handler(self.case(code)?, 3)?);
        let missing = adjuster.act(&case.name, "adjudicate", json!({})).await?;
        same(code, missing.err().as_deref(), Some("DOCUMENTS_MISSING"))?;
        let rejected = adjuster.does(&case.name, "adjudicate", json!({"withoutDocuments": true})).await?;
        same(code, short(&rejected["outcome"], "CLAIM_OUTCOME_"), "REJECTED")?;
        same(code, rejected["rule"].as_str(), Some("DOCUMENTS_MISSING"))?;
        println!("{code} {}: rejected, DOCUMENTS_MISSING: {}", case.number, without(&case.row).join(", "));
        agenda.then(Step::Appeal(code.to_owned()))
    }

    /// The family appeals with the documents; somebody else decides.
    pub(super) async fn appeal(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let officer = self.committee(case, "w-001")?;
        let appealed = officer.does(&case.name, "appeal", json!({"appeal": "材料已补齐,申请复议"})).await?;
        same(code, state(&appealed), "APPEALED")?;
        for kind in without(&case.row) {
            self.upload(&officer, &case.name, kind).await?;
        }
        let again = self.handler(case, 3)?.act(&case.name, "adjudicate", json!({})).await?;
        same("an appeal decided by who decided before", again.err().as_deref(), Some("MAKER_IS_CHECKER"))?;
        self.handler(case, 4)?.does(&case.name, "adjudicate", json!({})).await?;
        println!("{code} {}: appealed with the documents, decided by somebody else", case.number);
        self.decided(agenda, code).await
    }

    /// Publishes the notice; nothing is paid before it is over.
    pub(super) async fn publish(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let noticed = self.officer(1)?.does(&case.name, "publishNotice", json!({})).await?;
        same(code, state(&noticed), "NOTICE")?;
        let early = self.pay_at_once(code).await?;
        same("paid within its notice", early.err().as_deref(), Some("CLAIM_NOTICE_RUNNING"))?;
        if case.row["expected_outcome"] == "OBJECTED_THEN_PAID" {
            agenda.then(Step::Object(code.to_owned()))?;
        }
        agenda.pay_after(day(&noticed["noticeEndDate"])?, code)
    }

    /// A neighbour objects.
    pub(super) async fn object(&mut self, code: &str) -> Done {
        let case = self.case(code)?;
        let objection = json!({"text": "损失金额与现场情况不符,请复核(示例)"});
        let objected = self.committee(case, "w-050")?.does(&case.name, "object", objection).await?;
        same(code, state(&objected), "OBJECTED")
    }

    /// Answers what is objected: by neither who objected nor who decided.
    pub(super) async fn answer(&self, code: &str, claim: &Value) -> Done {
        let case = self.case(code)?;
        let held = self.pay_at_once(code).await?;
        same("paid with an objection", held.err().as_deref(), Some("WRONG_STATE"))?;
        let open = list(claim, "objections").first().map(|objection| objection["id"].clone());
        let answer = json!({"objection": open, "answer": "已复核现场照片与票据,金额无误(示例)"});
        let answered = self.officer(2)?.does(&case.name, "answerObjection", answer).await?;
        println!("{code} {}: the payment was held by an objection, which is answered", case.number);
        same(code, state(&answered), "NOTICE")
    }

    /// What comes of paying the first line of a claim now.
    async fn pay_at_once(&self, code: &str) -> Answer<Result<Value, String>> {
        let (case, claim) = (self.case(code)?, self.read(code).await?);
        let lines = list(&claim, "decisions").last().map(|its| list(its, "lines")).unwrap_or_default();
        let line = lines.iter().find(|line| fen(&line["approvedAmount"]) > 0).ok_or("nothing to pay")?;
        let payment = json!({
            "programme": line["programme"],
            "amount": line["approvedAmount"],
            "paymentReference": format!("example-{code}"),
        });
        self.adjuster(id(&line["insurer"]), 5)?.act(&case.name, "pay", payment).await
    }
}
