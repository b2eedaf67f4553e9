//! Tests of the jobs against ports that a test can make fail.
