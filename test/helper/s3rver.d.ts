declare module 's3rver' {
	/** The little of its interface that tests use; the package brings no types. */
	class S3rver {
		constructor(options: {
			readonly port: number;
			readonly address: string;
			readonly directory: string;
			readonly silent: boolean;
			readonly configureBuckets: readonly {readonly name: string; readonly configs: readonly string[]}[];
		});
		run(): Promise<unknown>;
		close(): Promise<void>;
	}
	export = S3rver;
}
