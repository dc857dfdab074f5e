import type {Readable} from 'node:stream';
import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Release, ReleaseArtifact} from '#ota/contract/release-api.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {ArtifactUploads} from '#ota/fleet/release/artifact-uploads.ts';
import {
	countBoxes,
	findArtifact,
	insertRelease,
	markPublished,
	markWithdrawn,
	readRelease,
	type StoredRelease,
} from '#ota/fleet/release/release-repository.ts';
import {releaseServerError} from '#ota/fleet/release/release-server-error.ts';
import {type ArtifactNeed, releaseArtifacts} from '#ota/release/release-artifacts.ts';
import {type VerifiedRelease, verifySignedRelease} from '#ota/release/verify-release.ts';

export type ReleaseServiceOptions = Pick<FleetContext, 'store' | 'clock' | 'changes'> & {
	readonly uploads: ArtifactUploads;
	readonly releaseCaPem: string;
};

/** What is done with releases; each answers the release as it is then. */
export class ReleaseService {
	readonly #options: ReleaseServiceOptions;

	constructor(options: ReleaseServiceOptions) {
		this.#options = options;
	}

	async create(signed: {readonly manifest: string; readonly signature: string}, actor: string): Promise<Release> {
		const {store, clock, releaseCaPem} = this.#options;
		const manifest = Buffer.from(signed.manifest, 'base64');
		const {manifest: content, signer} = this.#verify({manifest, signature: signed.signature, releaseCaPem});
		const isNew = await insertRelease(store.database, {
			content,
			manifest: manifest.toString('base64'),
			signature: Buffer.from(signed.signature, 'base64').toString('base64'),
			signer,
			created_by: actor,
			created_ms: clock.nowMs(),
		});
		const stored = await this.#find(content.release);
		if (!isNew && stored.signedManifest !== manifest.toString('base64')) {
			throw releaseServerError('OTA_RELEASE_DIFFERENT', {
				status: 409,
				message: `Another release ${content.release} is known already: a version is given once.`,
			});
		}
		this.#tell(content.release);
		return this.view(stored);
	}

	#verify(signed: Parameters<typeof verifySignedRelease>[0]): VerifiedRelease {
		try {
			return verifySignedRelease(signed);
		} catch (error) {
			const message = errorMessage(error);
			throw releaseServerError('OTA_RELEASE_NOT_BELIEVED', {status: 422, message, cause: error});
		}
	}

	async publish(release: string): Promise<Release> {
		const stored = await this.#find(release);
		if (stored.state === 'withdrawn') {
			throw releaseServerError('OTA_RELEASE_STATE', {
				status: 409,
				message: 'This release was withdrawn: make another version.',
			});
		}
		const {artifacts} = await this.view(stored);
		if (artifacts.some(({storedBytes, sizeBytes}) => storedBytes < sizeBytes)) {
			throw releaseServerError('OTA_RELEASE_INCOMPLETE', {
				status: 409,
				message: 'Not all of its files are here: upload the rest first.',
			});
		}
		await markPublished(this.#options.store.database, {release: stored.release, nowMs: this.#options.clock.nowMs()});
		this.#tell(release);
		return this.view(await this.#find(release));
	}

	async withdraw(release: string, {by, reason}: {readonly by: string; readonly reason: string}): Promise<Release> {
		await this.#find(release);
		await markWithdrawn(this.#options.store.database, {release, by, reason, nowMs: this.#options.clock.nowMs()});
		this.#tell(release);
		return this.view(await this.#find(release));
	}

	async get(release: string): Promise<Release> {
		return this.view(await this.#find(release));
	}

	async artifact(sha256: Sha256): Promise<ReleaseArtifact> {
		const need = await this.#findArtifact(sha256);
		return {...need, storedBytes: await this.#options.uploads.storedBytes(need)};
	}

	async upload(
		sha256: Sha256,
		upload: {readonly offsetBytes: number; readonly body: Readable; readonly signal: AbortSignal},
	): Promise<ReleaseArtifact> {
		const need = await this.#findArtifact(sha256);
		return {...need, storedBytes: await this.#options.uploads.receive(need, upload)};
	}

	async view({signedManifest, signature, ...release}: StoredRelease): Promise<Release> {
		const {store, uploads} = this.#options;
		const boxes = await countBoxes(store.database, [release.release]);
		const artifacts = await Promise.all(
			releaseArtifacts(release.manifest).map(async (need) => ({...need, storedBytes: await uploads.storedBytes(need)})),
		);
		return {...release, artifacts, boxes: boxes.get(release.release) ?? 0};
	}

	async #find(release: string): Promise<StoredRelease> {
		const stored = await readRelease(this.#options.store.database, release);
		if (stored === undefined) {
			throw notFound('release');
		}
		return stored;
	}

	async #findArtifact(sha256: Sha256): Promise<ArtifactNeed> {
		const need = await findArtifact(this.#options.store.database, sha256);
		if (need === undefined) {
			throw releaseServerError('OTA_ARTIFACT_UNKNOWN', {status: 404, message: 'No release names such a file.'});
		}
		return need;
	}

	#tell(release: string): void {
		this.#options.changes.publish({kind: 'releases', ids: [release]});
	}
}
