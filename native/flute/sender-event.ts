/** What the sender thread tells of jobs. Ids are the sender's own, never reused. */
export type FluteSendEvent =
	| {readonly kind: 'started'; readonly job: number}
	| {
			readonly kind: 'sent';
			readonly job: number;
			readonly packets: number;
			/** IP layer: payload + UDP and IP headers. */
			readonly wireBytes: number;
			readonly durationMs: number;
	  }
	| {readonly kind: 'failed'; readonly job: number; readonly code: string; readonly message: string};
