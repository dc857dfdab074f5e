import type {SqliteDatabase, SqliteStatement} from 'kysely';

type Statement = SqliteStatement & {readonly busy: boolean};
type Connection = Omit<SqliteDatabase, 'prepare'> & {readonly prepare: (text: string) => Statement};

export const statementsMax = 256;
/** What is longer has as many rows as its batch, and hardly ever comes again. */
const statementCharsMax = 4096;
const changesSchema = /^\s*(?:alter|create|drop|pragma)\b/iu;

/**
 * Keeps what SQLite has compiled, the most recently used texts of it: a server asks the same few dozen questions all day,
 * and compiling one takes longer than most answers.
 */
export const keepStatements = (connection: Connection): SqliteDatabase => {
	const kept = new Map<string, Statement>();
	return {
		prepare: (text) => {
			const known = kept.get(text);
			// One that is being read row by row belongs to its reader.
			if (known?.busy === true || text.length > statementCharsMax) {
				return connection.prepare(text);
			}
			if (changesSchema.test(text)) {
				kept.clear();
				return connection.prepare(text);
			}
			const statement = known ?? connection.prepare(text);
			kept.delete(text);
			kept.set(text, statement);
			const [oldest] = kept.size > statementsMax ? kept.keys() : [];
			if (oldest !== undefined) {
				kept.delete(oldest);
			}
			return statement;
		},
		close: () => {
			kept.clear();
			connection.close();
		},
	};
};
