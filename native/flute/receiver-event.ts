/** What the receiver thread tells of objects. Ids are the receiver's own, never reused; offsets and sizes are bytes. */
export type FluteObject = {
	readonly id: number;
	readonly group: string;
	readonly port: number;
	readonly tsi: number;
	/** TOIs of up to 112 bits fit only into text; decimal. */
	readonly toi: string;
	readonly contentLocation: string;
	/** Length of the transport object, after content encoding. */
	readonly transferLength: number;
	readonly contentLength?: number;
	readonly contentType?: string;
	readonly contentEncoding?: string;
	/** Lower-case hex of the FDT's Content-Digest/Repr-Digest sha-256, over the transport object. */
	readonly sha256?: string;
	/** mbms2012:File-ETag as it stands, quotes included. */
	readonly entityTag?: string;
	/** Unix ms; the FDT instance's Expires. */
	readonly expiresMs: number;
	/** Unix ms; mbms2007:Cache-Control/Expires. */
	readonly cacheExpiresMs?: number;
	/** Attributes of namespace urn:streamverse:metadata:carousel:2026 on File, by local name (`priority`, `service`). */
	readonly extension: Readonly<Record<string, string>>;
	/** The file it is assembled in; preallocated to transferLength. */
	readonly path: string;
};

export type FluteRange = {readonly offset: number; readonly length: number};

export type FluteEvent =
	| {
			readonly kind: 'fdt';
			readonly group: string;
			readonly port: number;
			readonly tsi: number;
			readonly instanceId: number;
			readonly expiresMs: number;
			readonly files: number;
			/** EXT_TIME sender current time, Unix ms. */
			readonly senderTimeMs?: number;
	  }
	| {readonly kind: 'appeared'; readonly object: FluteObject}
	| {readonly kind: 'progress'; readonly id: number; readonly receivedBytes: number}
	/**
	 * The sender has ended this transmission (close-object flag, another pass begun, or `objectIdleMs` without a packet)
	 * and bytes are missing: the moment to repair. Comes again after each later transmission that leaves holes.
	 */
	| {readonly kind: 'ended'; readonly id: number; readonly missingBytes: number}
	/** Whole and verified; the file is synced-to-page-cache, closed, and from now on the listener's. */
	| {
			readonly kind: 'complete';
			readonly id: number;
			readonly path: string;
			readonly sizeBytes: number;
			readonly sha256: string;
			readonly fecRecoveredBytes: number;
			readonly repairedBytes: number;
	  }
	/** Given up: expired, too large, disk full, digest mismatch, dropped. The file is gone. */
	| {readonly kind: 'gave-up'; readonly id: number; readonly code: string; readonly message: string}
	/** The thread itself cannot go on (a socket failed); nothing follows. */
	| {readonly kind: 'failed'; readonly code: string; readonly message: string};
