//! Training 培训: courses, sessions, learners, exams, and who lacks what by when (Work points 4.1, 4.2).

mod course;
mod enrolment;
mod examination;
mod gaps;
pub(crate) mod growth;
mod lacking;
pub(crate) mod professional;
pub(crate) mod rules;
mod service;
mod session;

pub(crate) use course::Courses;
pub(crate) use service::Trainings;
