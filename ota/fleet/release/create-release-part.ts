import {join} from 'node:path';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import type {ObjectStoreSettings} from '#ota/fleet/object/object-store.ts';
import {createS3Objects} from '#ota/fleet/object/s3-objects.ts';
import {createArtifactPermit} from '#ota/fleet/release/artifact-permit.ts';
import {createArtifactRoutes} from '#ota/fleet/release/artifact-routes.ts';
import {createArtifactTraffic} from '#ota/fleet/release/artifact-traffic.ts';
import {createArtifactUploads} from '#ota/fleet/release/artifact-uploads.ts';
import {createDiskArtifacts} from '#ota/fleet/release/disk-artifacts.ts';
import {createReleaseEndpoints} from '#ota/fleet/release/release-endpoints.ts';
import {ReleaseService} from '#ota/fleet/release/release-service.ts';
import {createS3Artifacts} from '#ota/fleet/release/s3-artifacts.ts';

export type ReleasePartOptions = {
	/** Files that are on their way, and those that arrived where there is no `s3`. */
	readonly directory: string;
	readonly s3?: ObjectStoreSettings | undefined;
	/** Certificates of the release CAs that this fleet trusts. */
	readonly releaseCaPem: string;
};

/** Releases: what is signed, its files, and serving them to the boxes that were ordered to take them. */
export const createReleasePart = (context: FleetContext, options: ReleasePartOptions): FleetPart => {
	const {database} = context.store;
	const store =
		options.s3 === undefined
			? createDiskArtifacts({directory: join(options.directory, 'artifact')})
			: createS3Artifacts(createS3Objects(options.s3));
	const uploads = createArtifactUploads({directory: join(options.directory, 'upload'), store});
	const traffic = createArtifactTraffic({...context, database});
	const service = new ReleaseService({...context, uploads, releaseCaPem: options.releaseCaPem});
	return {
		endpoints: createReleaseEndpoints(service, database),
		deviceRoutes: createArtifactRoutes({store, traffic, isPermitted: createArtifactPermit(database)}),
		start: () => Promise.resolve(traffic.start()),
	};
};
