import {spawnSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openImageKeys, signerOf, type Trust} from '#image/make/image-keys.ts';
import {loadRecipe} from '#image/make/recipe.ts';
import {runStage} from '#image/make/run-stage.ts';
import {systemConfOf} from '#image/make/system-conf-of.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withToken} from '#test/helper/with-token.ts';

const recipe = loadRecipe('stb', 'amd64');
const stageTimeoutMs = 60_000;
const trusts = ['development', 'release'] as const;

type Builder = {
	readonly directory: string;
	/** Makes a bundle with the build's own stage; answers its path. */
	readonly bundle: (trust: Trust) => Promise<string>;
	/** What RAUC says that is configured as an image of this trust is. */
	readonly verdictOf: (image: Trust, bundle: string) => {readonly taken: boolean; readonly told: string};
};

const withBuilder = async (t: ExecutionContext): Promise<Builder> => {
	const directory = await withDirectory(t);
	const file = (name: string): string => path.join(directory, name);
	openImageKeys(file('keys'), {make: true});
	return {
		directory,
		bundle: async (trust) => {
			const keys = openImageKeys(file('keys'), {make: false});
			const {key, certificate, intermediate} = signerOf(keys, trust);
			const work = file(`work-${trust}`);
			await mkdir(work, {recursive: true});
			for (const name of ['rootfs.img', 'boot.img']) {
				writeFileSync(path.join(work, name), Buffer.alloc(64 * 1024, name));
			}
			const bundlePath = file(`${trust}.raucb`);
			await runStage(['80-bundle.sh'], {
				environment: {
					SOURCE_DATE_EPOCH: '1700000000',
					...{SV_WORK: work, SV_COMPATIBLE: recipe.compatible, SV_VERSION: '1.0.0', SV_BUNDLE: bundlePath},
					...{
						SV_SIGNER_KEY: key,
						SV_SIGNER_CERT: certificate,
						SV_INTERMEDIATE: intermediate,
						SV_KEYRING: keys.rootPath,
					},
				},
				logDirectory: work,
				progress: () => undefined,
				signal: AbortSignal.timeout(stageTimeoutMs),
			});
			return bundlePath;
		},
		verdictOf: (image, bundle) => {
			const keyring = file('keyring.pem');
			writeFileSync(keyring, openImageKeys(file('keys'), {make: false}).keyring[image]);
			const configuration = systemConfOf(recipe, image).replace(/^path=.*$/mu, `path=${keyring}`);
			writeFileSync(file('system.conf'), configuration);
			const {status, stderr} = spawnSync('rauc', ['--conf', file('system.conf'), 'info', bundle], {encoding: 'utf8'});
			return {taken: status === 0, told: stderr};
		},
	};
};

test.serial('an image that trusts the release chain alone refuses a bundle of the development chain', async (t) => {
	const {bundle, verdictOf} = await withBuilder(t);
	for (const signer of trusts) {
		const made = await bundle(signer);
		t.true(verdictOf('development', made).taken, `a development image, and a bundle of ${signer}`);
		const {taken, told} = verdictOf('release', made);
		t.is(taken, signer === 'release', `a release image, and a bundle of ${signer}: ${told}`);
		t.true(taken || /signature verification failed/u.test(told), told);
	}
});

test.serial('a bundle is signed by a key that never leaves its token', async (t) => {
	const {directory, bundle, verdictOf} = await withBuilder(t);
	const uri = await withToken(t, {'release-signer': path.join(directory, 'keys/release-signer.key')});
	writeFileSync(path.join(directory, 'keys/release-signer.pkcs11'), `${uri('release-signer')}\n`);
	t.true(verdictOf('release', await bundle('release')).taken);
	writeFileSync(path.join(directory, 'keys/release-signer.pkcs11'), `${uri('another')}\n`);
	await t.throwsAsync(bundle('release'), {code: 'IMAGE_STAGE_FAILED'});
});
