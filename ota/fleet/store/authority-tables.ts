/** A one-time token, kept as a hash. */
export type ClaimTable = {
	id: string;
	token_hash: string;
	/** Null: for whichever box comes first. */
	device_id: string | null;
	kind: string;
	site: string | null;
	/** JSON array of strings, sorted. */
	tags: string;
	/** 1: for a box that exists; its former certificates are revoked when the new key is certified. */
	replaces: number;
	created_ms: number;
	created_by: string;
	expires_ms: number;
	used_ms: number | null;
	used_by: string | null;
	/** SHA-256 of the public key that it was used for: the same key may ask again. */
	used_key: string | null;
	certificate_serial: string | null;
};

/** Every certificate that a box was given. */
export type CertificateTable = {
	serial: string;
	box: string;
	/** SHA-256 of the DER. */
	fingerprint: string;
	/** SHA-256 of the public key (SPKI, DER). */
	key_hash: string;
	not_before_ms: number;
	not_after_ms: number;
	issued_ms: number;
	/** 'claim' | 'renewal'. */
	origin: string;
	pem: string;
	/** A later one was issued; this one is good until its own end, because the answer with that one may be lost. */
	superseded_ms: number | null;
	revoked_ms: number | null;
	revoked_reason: string | null;
	/** 1: the box must be cut off at the broker, and was not yet. */
	cut_pending: number;
};

/** The newest revocation list; one row, of id 'current'. */
export type RevocationListTable = {
	id: string;
	number: number;
	/** Serial that is on the list and was never a box's: by it a broker is asked whether it knows this list. */
	canary: string;
	this_update_ms: number;
	next_update_ms: number;
	/** Of certificates that were revoked when it was made. */
	revoked_count: number;
	entries: number;
	pem: string;
};

/**
 * What the servers of a fleet must agree on: `root`, the SHA-256 of the root's DER, by which a server with other files
 * is found out; `share-group`, a secret name (open-trust.ts).
 */
export type AuthorityTable = {id: string; value: string};

/** Tables of `ota/fleet/authority/`. */
export type AuthorityTables = {
	claim: ClaimTable;
	certificate: CertificateTable;
	revocation_list: RevocationListTable;
	authority: AuthorityTable;
};
