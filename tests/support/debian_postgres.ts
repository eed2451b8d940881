/** Where Debian's package postgresql-15 keeps its programs. */
export const POSTGRES_15_BIN = "/usr/lib/postgresql/15/bin";
