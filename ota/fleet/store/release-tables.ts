export type ReleaseTable = {
	release: string;
	/** 'uploading' | 'published' | 'withdrawn'. */
	state: string;
	/** Base64 of the bytes that were signed, and of the signature's DER. */
	manifest: string;
	signature: string;
	signer: string;
	created_by: string;
	created_ms: number;
	published_ms: number | null;
	withdrawn_by: string | null;
	withdrawn_ms: number | null;
	withdrawn_reason: string | null;
};

/** Which file belongs to which release; two releases may share one. */
export type ReleaseArtifactTable = {release: string; sha256: string; size_bytes: number};

/** What was served to each box: what its updates cost over the uplink, as the server counts it. */
export type ArtifactTrafficTable = {box: string; sha256: string; bytes: number; requests: number; last_ms: number};

export type ReleaseTables = {
	release: ReleaseTable;
	release_artifact: ReleaseArtifactTable;
	artifact_traffic: ArtifactTrafficTable;
};
