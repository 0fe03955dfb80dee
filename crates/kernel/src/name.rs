//! Relative resource names (AIP-122) under the tenant: `towns/{town}/committees/{committee}`.
//!
//! Each kind has a type of its own, so that a block's name can't stand where a committee's is wanted.

use crate::ids::check_master_id;

/// Why text is not the name that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form {pattern}")]
pub struct NameError {
    /// The pattern that the name should have.
    pub pattern: &'static str,
}

/// Whether `text` may be an id in a name: the rule of [`crate::ids::MasterId`]. Lower-case UUIDs are among them.
pub fn is_id(text: &str) -> bool {
    check_master_id(text).is_ok()
}

/// The ids in `text`, when it has the form of `pattern` (`towns/{town}/blocks/{block}`).
pub fn matches<const N: usize>(pattern: &'static str, text: &str) -> Result<[String; N], NameError> {
    let error = || NameError { pattern };
    let mut ids = [const { String::new() }; N];
    let mut next = 0;
    let (mut wanted, mut given) = (pattern.split('/'), text.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Ok(ids),
            (Some(w), Some(g)) if w.starts_with('{') => {
                if !is_id(g) {
                    return Err(error());
                }
                *ids.get_mut(next).ok_or_else(error)? = g.to_owned();
                next += 1;
            }
            (Some(w), Some(g)) if w == g => {}
            _ => return Err(error()),
        }
    }
}

/// Declares a kind of name: `resource_name! { /// Docs. CommitteeName, "towns/{town}/committees/{committee}", town, committee }`.
#[macro_export]
macro_rules! resource_name {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $($part:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name { $($part: String),+ }

        impl $name {
            /// The pattern of these names.
            pub const PATTERN: &'static str = $pattern;

            /// The name made of its ids.
            ///
            /// # Errors
            /// When one of them is no id.
            pub fn new($($part: impl Into<String>),+) -> Result<Self, $crate::name::NameError> {
                $(let $part = $part.into();)+
                let good = true $(&& $crate::name::is_id(&$part))+;
                if good { Ok(Self { $($part),+ }) } else { Err($crate::name::NameError { pattern: $pattern }) }
            }

            /// Reads a name.
            ///
            /// # Errors
            /// When `text` doesn't have the pattern.
            pub fn parse(text: &str) -> Result<Self, $crate::name::NameError> {
                let [$($part),+] = $crate::name::matches($pattern, text)?;
                Ok(Self { $($part),+ })
            }

            $(
                #[doc = concat!("The id of the ", stringify!($part), ".")]
                pub fn $part(&self) -> &str {
                    &self.$part
                }
            )+
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let mut text = String::from($pattern);
                $(text = text.replacen(concat!("{", stringify!($part), "}"), &self.$part, 1);)+
                f.write_str(&text)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::name::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

resource_name! { /// A town 镇.
TownName, "towns/{town}", town }
resource_name! { /// A community 镇管社区.
CommunityName, "towns/{town}/communities/{community}", town, community }
resource_name! { /// A committee 居委会, 村委会 or one in preparation 筹建.
CommitteeName, "towns/{town}/committees/{committee}", town, committee }
resource_name! { /// A block 区块.
BlockName, "towns/{town}/blocks/{block}", town, block }
resource_name! { /// An organisation 组织.
OrganisationName, "towns/{town}/organisations/{organisation}", town, organisation }
resource_name! { /// An estate 小区.
EstateName, "towns/{town}/estates/{estate}", town, estate }
resource_name! { /// A building 楼.
BuildingName, "towns/{town}/buildings/{building}", town, building }
resource_name! { /// A household 户.
HouseholdName, "towns/{town}/households/{household}", town, household }
resource_name! { /// A stewardship 小管家.
StewardshipName, "towns/{town}/stewardships/{stewardship}", town, stewardship }
resource_name! { /// A person.
PersonName, "towns/{town}/people/{person}", town, person }
resource_name! { /// A residence of a person in a household.
ResidenceName, "towns/{town}/residences/{residence}", town, residence }
resource_name! { /// A body.
BodyName, "towns/{town}/bodies/{body}", town, body }
resource_name! { /// A kind of body at a level, with what a town must have of it.
BodyKindName, "towns/{town}/bodyKinds/{body_kind}", town, body_kind }
resource_name! { /// How a town checks its structure.
StructureSettingsName, "towns/{town}/structureSettings", town }
resource_name! { /// A membership of a body.
MembershipName, "towns/{town}/memberships/{membership}", town, membership }
resource_name! { /// A force 力量 gathered in a block.
BlockForceName, "towns/{town}/blockForces/{block_force}", town, block_force }
resource_name! { /// A community worker 社工, owned by the workforce service.
WorkerName, "towns/{town}/workers/{worker}", town, worker }
resource_name! { /// Days of a worker: a post 任职, or a recorded gap.
PostingName, "towns/{town}/postings/{posting}", town, posting }
resource_name! { /// Days on which a worker is away 请假.
AbsenceName, "towns/{town}/absences/{absence}", town, absence }
resource_name! { /// A certificate 证书.
CertificateName, "towns/{town}/certificates/{certificate}", town, certificate }
resource_name! { /// A pay scale 薪酬标准.
PayScaleName, "towns/{town}/payScales/{pay_scale}", town, pay_scale }
resource_name! { /// The pay of a month 月度薪酬核算.
PayRunName, "towns/{town}/payRuns/{pay_run}", town, pay_run }
resource_name! { /// What a worker gets in a pay run 工资单.
PayStatementName, "towns/{town}/payStatements/{pay_statement}", town, pay_statement }
resource_name! { /// A rota 值班表.
RotaName, "towns/{town}/rotas/{rota}", town, rota }
resource_name! { /// A duty 值班 of a rota.
DutyName, "towns/{town}/duties/{duty}", town, duty }
resource_name! { /// A swap 换班 of a duty.
DutySwapName, "towns/{town}/dutySwaps/{duty_swap}", town, duty_swap }
resource_name! { /// A course 课程.
CourseName, "towns/{town}/courses/{course}", town, course }
resource_name! { /// A session of a course 培训班次.
TrainingSessionName, "towns/{town}/trainingSessions/{training_session}", town, training_session }
resource_name! { /// A learner in a session 报名.
EnrolmentName, "towns/{town}/enrolments/{enrolment}", town, enrolment }
resource_name! { /// A registration for the professional exam 职业资格考试报考.
ExamRegistrationName, "towns/{town}/examRegistrations/{exam_registration}", town, exam_registration }
resource_name! { /// A step of a growth plan 优能.
GrowthStepName, "towns/{town}/growthSteps/{growth_step}", town, growth_step }
resource_name! { /// A project 自治项目, owned by governance.
ProjectName, "towns/{town}/projects/{project}", town, project }
resource_name! { /// An account of the ledger.
AccountName, "towns/{town}/accounts/{account}", town, account }
resource_name! { /// An entry of the ledger.
EntryName, "towns/{town}/entries/{entry}", town, entry }
resource_name! { /// A hold on an account 冻结.
HoldName, "towns/{town}/holds/{hold}", town, hold }
resource_name! { /// A delegated task 费随事转.
DelegationName, "towns/{town}/delegations/{delegation}", town, delegation }
resource_name! { /// A funding policy 经费政策.
FundingPolicyName, "towns/{town}/fundingPolicies/{funding_policy}", town, funding_policy }
resource_name! { /// An allocation run 经费核定.
AllocationRunName, "towns/{town}/allocationRuns/{allocation_run}", town, allocation_run }
resource_name! { /// What a committee gets of a fund in a run.
AllocationName, "towns/{town}/allocations/{allocation}", town, allocation }
resource_name! { /// An expense of a committee 经费支出.
ExpenseName, "towns/{town}/expenses/{expense}", town, expense }
resource_name! { /// A batch of payments 批量付款.
PaymentBatchName, "towns/{town}/paymentBatches/{payment_batch}", town, payment_batch }
resource_name! { /// A disclosure 居务公开, owned by governance.
DisclosureName, "towns/{town}/disclosures/{disclosure}", town, disclosure }
resource_name! { /// The share of a committee in a delegated task.
DelegationShareName, "towns/{town}/delegationShares/{delegation_share}", town, delegation_share }
resource_name! { /// A grant to a project.
ProjectGrantName, "towns/{town}/projectGrants/{project_grant}", town, project_grant }
resource_name! { /// A fiscal year 会计年度.
FiscalYearName, "towns/{town}/fiscalYears/{fiscal_year}", town, fiscal_year }
resource_name! { /// The statement of income and expenditure of a committee.
StatementName, "towns/{town}/committees/{committee}/statement", town, committee }
resource_name! { /// An insurance programme 保险项目.
ProgrammeName, "towns/{town}/programmes/{programme}", town, programme }
resource_name! { /// The insurance policy 保单 of a year under a programme.
PolicyName, "towns/{town}/policies/{policy}", town, policy }
resource_name! { /// How a town handles claims: terms and required documents.
ClaimSettingsName, "towns/{town}/claimSettings", town }
resource_name! { /// An incident 出险.
IncidentName, "towns/{town}/incidents/{incident}", town, incident }
resource_name! { /// A claim 理赔案件.
ClaimName, "towns/{town}/claims/{claim}", town, claim }
resource_name! { /// A file of a claim, or the evidence of a campaign.
DocumentName, "towns/{town}/documents/{document}", town, document }
resource_name! { /// A payment file of an insurer 赔付回单.
PaymentFileName, "towns/{town}/paymentFiles/{payment_file}", town, payment_file }
resource_name! { /// A campaign that makes the insurance known 宣传.
CampaignName, "towns/{town}/campaigns/{campaign}", town, campaign }
resource_name! { /// A role binding.
RoleBindingName, "towns/{town}/roleBindings/{role_binding}", town, role_binding }
resource_name! { /// An official paper about the calendar.
CalendarPaperName, "calendarPapers/{calendar_paper}", calendar_paper }
resource_name! { /// A service of the suite.
ServiceName, "services/{service}", service }
resource_name! { /// A long-running operation.
OperationName, "services/{service}/operations/{operation}", service, operation }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_read_as_it_is_written(town in "[a-z0-9][a-z0-9-]{0,62}", block in "[a-z0-9][a-z0-9-]{0,62}") {
            let name = BlockName::new(&town, &block).unwrap();
            let again = BlockName::parse(&name.to_string()).unwrap();
            prop_assert_eq!((again.town(), again.block()), (town.as_str(), block.as_str()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            if let Ok(name) = CommitteeName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }

    #[test]
    fn names_of_another_form_are_refused() {
        for bad in [
            "",
            "towns/malu",
            "towns/malu/blocks/",
            "towns/malu/blocks/B",
            "towns/malu/blocks/b/x",
            "/towns/malu/blocks/b",
            "towns/-/blocks/b",
        ] {
            assert!(BlockName::parse(bad).is_err(), "{bad}");
        }
    }
}
