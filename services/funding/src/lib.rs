//! The funding service: policies, allocation, ledger, spending, delegated tasks 费随事转, grants, statements (Work points 3.3,
//! and the money of 2.3).

pub mod allocation;
pub mod delegation;
mod expense;
pub mod grant;
pub mod ledger;
pub mod measure;
mod open_expenses;
mod payment;
pub mod plans;
pub mod policy;
pub mod reasons;
pub mod report;
mod sheets;
pub mod statement;
pub mod year;

use std::sync::Arc;

use chassis::{
    actor, amount as money, comment,
    context::Context,
    governance::Governance,
    imports::{ImportJob, Sheets},
    operations::{Job, Jobs, Worker},
    platform::{MESSAGE, Shared, rows},
};
use contracts::linli::funding::v1 as pb;
use tonic::service::Routes;

/// The migrations of this service's schema.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What its sealer chains beside events and audit records: the ledger.
pub static SEALERS: &[chassis::seal::Sealer] = &[|sql| Box::pin(ledger::store::seal::pass(sql))];

/// The tables that it imports and exports, each after those that it requires.
pub fn tables(governance: &Governance) -> Sheets {
    sheets::sheets(governance)
}

/// What its workers do. `governance` is asked for committees.
pub fn jobs(governance: &Governance) -> Jobs {
    let mut jobs = Jobs::from([
        ("import", Arc::new(ImportJob(tables(governance))) as Arc<dyn Job>),
        ("close_year", Arc::new(year::CloseYear) as Arc<dyn Job>),
        ("reencrypt", Arc::new(expense::Reencrypt) as Arc<dyn Job>),
    ]);
    jobs.extend(allocation::jobs(governance));
    jobs
}

/// Its gRPC services. `governance` is asked for committees, organisations and working days; `mark` is what exported files say of a
/// demonstration.
pub fn routes(
    context: &Context,
    worker: &Worker,
    governance: &Governance,
    mark: Option<&'static str>,
) -> Routes {
    let states = vec![
        rows(&ledger::rules::HOLDS),
        rows(&policy::rules::TABLE),
        rows(&allocation::rules::RUNS),
        rows(&allocation::rules::ALLOCATIONS),
        rows(&expense::rules::TABLE),
        rows(&payment::rules::TABLE),
        rows(&delegation::rules::TABLE),
        rows(&grant::rules::TABLE),
        rows(&year::rules::TABLE),
    ];
    let routes =
        Routes::new(pb::ledger_service_server::LedgerServiceServer::new(ledger::Ledger(context.clone())))
            .add_service(pb::funding_policy_service_server::FundingPolicyServiceServer::new(
                policy::FundingPolicies(context.clone()),
            ))
            .add_service(pb::allocation_run_service_server::AllocationRunServiceServer::new(
                allocation::AllocationRuns { context: context.clone(), worker: worker.clone() },
            ))
            .add_service(pb::allocation_service_server::AllocationServiceServer::new(
                allocation::Allocations(context.clone()),
            ))
            .add_service(pb::expense_service_server::ExpenseServiceServer::new(expense::Expenses {
                context: context.clone(),
                governance: governance.clone(),
                worker: worker.clone(),
            }))
            .add_service(
                pb::payment_batch_service_server::PaymentBatchServiceServer::new(payment::PaymentBatches {
                    context: context.clone(),
                    governance: governance.clone(),
                })
                .max_decoding_message_size(MESSAGE)
                .max_encoding_message_size(4 * MESSAGE),
            )
            .add_service(pb::delegation_service_server::DelegationServiceServer::new(
                delegation::Delegations { context: context.clone(), governance: governance.clone() },
            ))
            .add_service(pb::project_grant_service_server::ProjectGrantServiceServer::new(
                grant::ProjectGrants { context: context.clone(), governance: governance.clone() },
            ))
            .add_service(pb::fiscal_year_service_server::FiscalYearServiceServer::new(year::FiscalYears {
                context: context.clone(),
                worker: worker.clone(),
            }))
            .add_service(pb::statement_service_server::StatementServiceServer::new(statement::Statements {
                context: context.clone(),
                governance: governance.clone(),
                mark,
            }))
            .add_service(pb::report_service_server::ReportServiceServer::new(report::Reports {
                context: context.clone(),
                governance: governance.clone(),
            }));
    let shared = Shared { sheets: tables(governance), mark, reasons: reasons::ALL, tables: states };
    shared.add_to(routes, context, worker)
}
