//! Payments: a file for each insurer and batch, confirmed by the committee for the household, closed.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    Year,
    agenda::{Agenda, Step},
    id, ids, short, state,
};
use crate::{
    Done,
    walk::{
        caller::{Answer, fen, list, told, yuan},
        same,
    },
};

impl Year<'_> {
    /// The lines that are to be paid of a batch, by their insurers.
    async fn due(&self, codes: &[String], today: &str) -> Answer<BTreeMap<String, Vec<String>>> {
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for code in codes {
            let claim = self.read(code).await?;
            for line in list(&claim, "decisions").last().map(|its| list(its, "lines")).unwrap_or_default() {
                if fen(&line["approvedAmount"]) == 0 {
                    continue;
                }
                let (number, programme) = (told(&claim["number"]), id(&line["programme"]));
                let amount = yuan(&line["approvedAmount"]);
                let row = format!("{number},{programme},{amount},{today},example-{code}-{programme}\r\n");
                files.entry(id(&line["insurer"]).to_owned()).or_default().push(row);
            }
        }
        Ok(files)
    }

    /// Pays a batch. What is objected to waits for its answer, and for the next batch.
    pub(super) async fn pay(&mut self, agenda: &mut Agenda, today: &str, mut codes: Vec<String>) -> Done {
        for code in codes.clone() {
            let claim = self.read(&code).await?;
            if state(&claim) == "OBJECTED" {
                self.answer(&code, &claim).await?;
                codes.retain(|other| *other != code);
                agenda.pay_after(today.parse()?, &code)?;
            }
        }
        for (insurer, rows) in self.due(&codes, today).await? {
            let read = self.file(&insurer, &rows).await?;
            println!(
                "{today}: payment file of {insurer}: {} lines, {}",
                told(&read["matched"]),
                yuan(&read["amount"])
            );
            self.paid.0 += 1;
            self.paid.1 += rows.len();
        }
        for code in codes {
            same(&code, state(&self.read(&code).await?), "PAID")?;
            agenda.then(Step::Confirm(code))?;
        }
        Ok(())
    }

    /// Brings a file; every line of it is matched, and it is read once.
    async fn file(&self, insurer: &str, rows: &[String]) -> Answer<Value> {
        let content = format!("claim_number,programme,amount_yuan,paid_on,reference\r\n{}", rows.concat());
        let file = json!({
            "insurer": format!("towns/malu/organisations/{insurer}"),
            "content": BASE64_STANDARD.encode(content),
        });
        let payer = self.adjuster(insurer, 5)?;
        let read = payer.post("/paymentFiles", file.clone()).await??;
        for line in list(&read, "lines") {
            let what = format!("{} {}", told(&line["claimNumber"]), told(&line["reason"]));
            same(&what, short(&line["result"], "PAYMENT_LINE_RESULT_"), "MATCHED")?;
        }
        same("matched lines", read["matched"].as_u64(), Some(rows.len() as u64))?;
        let again = payer.post("/paymentFiles", file).await?;
        same("a payment file brought again", again.err().as_deref(), Some("PAYMENT_FILE_KNOWN"))?;
        Ok(read)
    }

    /// The household has the money; each line is paid as it was approved.
    pub(super) async fn confirm(&mut self, agenda: &mut Agenda, code: &str) -> Done {
        let case = self.case(code)?;
        let early = self.officer(1)?.act(&case.name, "close", json!({})).await?;
        same("closed without confirmation", early.err().as_deref(), Some("PAYMENT_UNCONFIRMED"))?;
        self.committee(case, "w-001")?.does(&case.name, "confirmPayment", json!({})).await?;
        agenda.then(Step::Close(code.to_owned()))
    }

    pub(super) async fn close(&mut self, code: &str) -> Done {
        let case = self.case(code)?;
        let closed = self.officer(1)?.does(&case.name, "close", json!({})).await?;
        same(code, state(&closed), "CLOSED")?;
        let claim = self.read(code).await?;
        same(code, yuan(&claim["paidAmount"]), yuan(&claim["approvedAmount"]))?;
        for line in list(&claim, "decisions").last().map(|its| list(its, "lines")).unwrap_or_default() {
            same(code, yuan(&line["paidAmount"]), yuan(&line["approvedAmount"]))?;
        }
        same(code, ids(&claim, "insurers"), case.insurers.clone())
    }
}
