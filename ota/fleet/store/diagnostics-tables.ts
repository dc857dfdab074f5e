/** What boxes were asked for, and what came of it. The bytes lie in files, or in a store of objects. */
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

/** An object with some of an item's bytes; those of an item follow each other without a hole. */
export type DiagnosticsPartTable = {
	/** Of the object. Written down before it is sent, so that none is ever there that nobody knows of. */
	key: string;
	item: string;
	start_bytes: number;
	/** 0 until the object is there; it may hold more, which does not count. */
	size_bytes: number;
};

export type DiagnosticsTables = {diagnostics_item: DiagnosticsItemTable; diagnostics_part: DiagnosticsPartTable};
