import {createRequire} from 'node:module';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import type {ObjectStoreSettings} from '#ota/fleet/object/object-store.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** The little of s3rver's interface that is used here; the package brings no types. */
type S3rver = new (options: {
	readonly port: number;
	readonly address: string;
	readonly directory: string;
	readonly silent: boolean;
	readonly configureBuckets: readonly {readonly name: string; readonly configs: readonly string[]}[];
}) => {readonly run: () => Promise<AddressInfo>; readonly close: () => Promise<void>};

/** A store that speaks S3, with one empty bucket, for one test. */
export const withS3 = async (t: ExecutionContext): Promise<ObjectStoreSettings> => {
	const Server = createRequire(import.meta.url)('s3rver') as S3rver;
	const server = new Server({
		port: 0,
		address: '127.0.0.1',
		directory: await withDirectory(t),
		silent: true,
		configureBuckets: [{name: 'releases', configs: []}],
	});
	const {port} = await server.run();
	t.teardown(() => server.close());
	return {
		url: `http://127.0.0.1:${port}/releases`,
		region: 'us-east-1',
		accessKeyId: 'S3RVER',
		secretAccessKey: 'S3RVER',
	};
};
