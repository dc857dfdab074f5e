/** What boxes were asked for, and what came of it. The bytes lie in files beside the database. */
export type DiagnosticsItemTable = {
	id: string;
	box: string;
	/** 'bundle' | 'capture' | 'recording'. */
	kind: string;
	/** 'requested' | 'receiving' | 'ready' | 'failed'. */
	state: string;
	actor: string;
	created_ms: number;
	ready_ms: number | null;
	size_bytes: number;
	file_name: string;
	/** JSON reason. */
	error: string | null;
	/** Until when it may still come. */
	deadline_ms: number;
	expires_ms: number;
};

export type DiagnosticsTables = {diagnostics_item: DiagnosticsItemTable};
