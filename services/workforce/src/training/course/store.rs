//! The SQL of courses and of what a year asks.

use chassis::{listing::Asked, refusal::Refusal};
use kernel::{name::CourseName, state::Named};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::training::{
    examination::Exam,
    lacking::{Course, Target},
    rules::{CourseState, Kind, Role},
};

/// A course as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(in crate::training) struct Row {
    pub(in crate::training) town: String,
    pub(in crate::training) id: String,
    pub(in crate::training) kind: String,
    pub(in crate::training) title: String,
    pub(in crate::training) minutes: i32,
    pub(in crate::training) capacity: i32,
    pub(in crate::training) pass_mark: i32,
    pub(in crate::training) attempts: i32,
    pub(in crate::training) valid_months: i32,
    pub(in crate::training) roles: Vec<String>,
    pub(in crate::training) provider: String,
    pub(in crate::training) state: String,
    pub(in crate::training) version: i64,
    pub(in crate::training) created: i64,
    pub(in crate::training) updated: i64,
}

fn unknown(what: &str, name: &str) -> Refusal {
    Refusal::internal(format!("{what} {name}"))
}

impl Row {
    /// Its name.
    pub(in crate::training) fn name(&self) -> String {
        format!("towns/{}/courses/{}", self.town, self.id)
    }

    /// Its state.
    pub(in crate::training) fn state(&self) -> Result<CourseState, Refusal> {
        CourseState::from_name(&self.state).ok_or_else(|| unknown("course state", &self.state))
    }
}

/// What a course says.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) minutes: i32,
    pub(super) capacity: i32,
    pub(super) exam: Exam,
    pub(super) roles: Vec<Role>,
    /// The organisation's id; empty without.
    pub(super) provider: String,
}

impl Plan {
    fn roles(&self) -> Vec<String> {
        self.roles.iter().map(|role| role.name().to_owned()).collect()
    }
}

const HEAD: &str = "select c.town, c.id, c.kind, c.title, c.minutes, c.capacity, c.pass_mark, c.attempts, c.valid_months, c.roles, c.provider,
    c.state, c.version, (extract(epoch from c.created) * 1000000)::bigint as created,
    (extract(epoch from c.updated) * 1000000)::bigint as updated from course c where c.town = ";

/// A page of courses by id.
pub(super) fn list_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(HEAD);
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "c.id");
    query
}

/// A course by id; locked until the end of the transaction when it is to be changed.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn find(
    sql: &mut PgConnection,
    town: &str,
    id: &str,
    lock: bool,
) -> Result<Option<Row>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push_bind(town).push(" and c.id = ").push_bind(id);
    if lock {
        query.push(" for no key update");
    }
    Ok(query.build_query_as().fetch_optional(sql).await?)
}

/// Stores a course; `false` when the id is taken.
pub(super) async fn create(sql: &mut PgConnection, name: &CourseName, plan: &Plan) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into course (town, id, kind, title, minutes, capacity, pass_mark, attempts, valid_months, roles, provider)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (town, id) do nothing",
        name.town(),
        name.course(),
        plan.kind.name(),
        plan.title,
        plan.minutes,
        plan.capacity,
        plan.exam.pass_mark,
        plan.exam.attempts,
        plan.exam.valid_months,
        &plan.roles(),
        plan.provider,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Changes what a course says.
pub(super) async fn update(sql: &mut PgConnection, name: &CourseName, plan: &Plan) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update course set title = $3, minutes = $4, capacity = $5, pass_mark = $6, attempts = $7, valid_months = $8, roles = $9,
                version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        name.town(),
        name.course(),
        plan.title,
        plan.minutes,
        plan.capacity,
        plan.exam.pass_mark,
        plan.exam.attempts,
        plan.exam.valid_months,
        &plan.roles(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Moves a course to a state.
pub(super) async fn move_to(
    sql: &mut PgConnection,
    name: &CourseName,
    state: CourseState,
) -> Result<(), Refusal> {
    let done = sqlx::query!(
        "update course set state = $3, version = version + 1, updated = clock_timestamp() where town = $1 and id = $2",
        name.town(),
        name.course(),
        state.name(),
    );
    done.execute(sql).await?;
    Ok(())
}

/// Which of the courses are unknown or have no exam.
pub(super) async fn without_exam(
    sql: &mut PgConnection,
    town: &str,
    courses: &[String],
) -> Result<Vec<String>, Refusal> {
    let ids = sqlx::query_scalar!(
        r#"select asked.id as "id!" from unnest($2::text[]) as asked (id)
           where not exists (select from course c where c.town = $1 and c.id = asked.id and c.pass_mark > 0) order by 1"#,
        town,
        courses,
    );
    Ok(ids.fetch_all(sql).await?)
}

/// The latest target that names a course, for a course that is to lose its exam.
pub(super) async fn target_of(sql: &mut PgConnection, name: &CourseName) -> Result<Option<String>, Refusal> {
    let id = sqlx::query_scalar!(
        r#"select id as "id!" from training_target where town = $1 and $2 = any(courses) order by from_year desc, role limit 1"#,
        name.town(),
        name.course(),
    );
    Ok(id.fetch_optional(sql).await?)
}

/// Says what a year asks of a role; the version of what is said.
pub(super) async fn set_target(sql: &mut PgConnection, town: &str, target: &Target) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "insert into training_target (town, role, from_year, minutes, courses) values ($1, $2, $3, $4, $5)
         on conflict (town, role, from_year) do update
             set minutes = excluded.minutes, courses = excluded.courses, version = training_target.version + 1, updated = clock_timestamp()
         returning version",
        town,
        target.role.name(),
        target.from_year,
        target.minutes,
        &target.courses,
    );
    Ok(version.fetch_one(sql).await?)
}

/// A target as it is listed.
#[derive(Clone, Debug, FromRow)]
pub(super) struct TargetRow {
    pub(super) town: String,
    pub(super) id: String,
    pub(super) role: String,
    pub(super) from_year: i32,
    pub(super) minutes: i32,
    pub(super) courses: Vec<String>,
    pub(super) version: i64,
}

/// A page of targets by id.
pub(super) fn targets_query(asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select t.town, t.id, t.role, t.from_year, t.minutes, t.courses, t.version from training_target t where t.town = ",
    );
    query.push_bind(asked.town.clone());
    asked.push_page(&mut query, "t.id");
    query
}

fn role(name: &str) -> Result<Role, Refusal> {
    Role::from_name(name).ok_or_else(|| unknown("role", name))
}

/// All that is asked in a town by target, of years until `year`.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn targets(
    sql: &mut PgConnection,
    town: &str,
    year: i32,
) -> Result<Vec<Target>, Refusal> {
    let rows = sqlx::query!(
        "select role, from_year, minutes, courses from training_target where town = $1 and from_year <= $2",
        town,
        year,
    );
    let rows = rows.fetch_all(sql).await?;
    let target =
        |row: &str, from_year, minutes, courses| Ok(Target { role: role(row)?, from_year, minutes, courses });
    rows.into_iter().map(|row| target(&row.role, row.from_year, row.minutes, row.courses)).collect()
}

/// All courses of a town with an exam, as far as obligations go: of none while it isn't open.
///
/// # Errors
/// What Postgres answered.
pub(in crate::training) async fn obligations(
    sql: &mut PgConnection,
    town: &str,
) -> Result<Vec<Course>, Refusal> {
    let rows = sqlx::query!(
        r#"select id, kind, case state when 'OPEN' then roles else '{}' end as "roles!" from course
           where town = $1 and pass_mark > 0 order by id"#,
        town,
    );
    let rows = rows.fetch_all(sql).await?;
    let course = |id, kind: &str, roles: &[String]| {
        let kind = Kind::from_name(kind).ok_or_else(|| unknown("course kind", kind))?;
        Ok(Course { id, kind, roles: roles.iter().map(|name| role(name)).collect::<Result<_, Refusal>>()? })
    };
    rows.into_iter().map(|row| course(row.id, &row.kind, &row.roles)).collect()
}
