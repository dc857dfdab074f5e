import type {Generated} from 'kysely';

export type AccountTable = {
	id: string;
	name: string;
	display_name: string;
	role: string;
	/** PHC string of argon2id; null for an account that signs in elsewhere. */
	password_hash: string | null;
	/** OIDC: `iss` and `sub`, which together name a person for ever. */
	external_issuer: string | null;
	external_subject: string | null;
	disabled: number;
	must_change_password: number;
	created_ms: number;
	last_login_ms: number | null;
	edit_version: Generated<number>;
};

/** A browser that is signed in. Who reads the table cannot sign in by it: the cookie's hash is kept, not the cookie. */
export type SessionTable = {
	id_hash: string;
	account_id: string;
	created_ms: number;
	seen_ms: number;
	address: string;
};

export type ApiTokenTable = {
	id: string;
	hash: string;
	name: string;
	prefix: string;
	role: string;
	account_id: string;
	created_ms: number;
	expires_ms: number;
	last_used_ms: number | null;
};

/** Wrong passwords by account name and by address. */
export type LoginFailureTable = {key: string; failures: number; last_ms: number; blocked_until_ms: number};

/** A sign-in that is under way at the OIDC provider. */
export type OidcLoginTable = {
	id_hash: string;
	verifier: string;
	nonce: string;
	return_to: string;
	created_ms: number;
};

/** Only ever grows: triggers refuse to change or delete a row. */
export type AuditTable = {
	sequence: number;
	at_ms: number;
	actor_id: string;
	actor_name: string;
	actor_role: string;
	action: string;
	method: string;
	path: string;
	box: string | null;
	outcome: string;
	status: number;
	code: string | null;
	address: string;
	/** JSON. */
	detail: string;
	/** Of an outcome: the row that was written before the act. */
	intent: number | null;
	hash: string;
};

/** Tables of `ota/fleet/account` and `ota/fleet/audit`. */
export type AccountTables = {
	account: AccountTable;
	session: SessionTable;
	api_token: ApiTokenTable;
	login_failure: LoginFailureTable;
	oidc_login: OidcLoginTable;
	audit: AuditTable;
};
