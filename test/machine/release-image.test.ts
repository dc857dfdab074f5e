import {execFileSync, spawnSync} from 'node:child_process';
import path from 'node:path';
import {Writable} from 'node:stream';
import test from 'ava';
import {buildImage} from '#image/make/build-image.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';

const buildTimeoutMs = 30 * 60_000;

test('an image for release takes bundles of the release chain, and none of the development chain', async (t) => {
	t.timeout(2 * buildTimeoutMs);
	const directory = await withDirectory(t);
	const ofDevelopment = await testImage({release: '1.0.0'});
	const ofRelease = await buildImage({
		...{kind: 'stb', architecture: 'amd64', trust: 'release', release: '1.0.0', outDirectory: directory},
		output: new Writable({write: (_chunk, _encoding, done) => done()}),
		signal: AbortSignal.timeout(buildTimeoutMs),
	});
	/** What RAUC says, with the configuration and the keyring that lie in the root of an image. */
	const isTaken = (bundle: string, by: string): boolean => {
		const content = path.join(directory, `content-${path.basename(path.dirname(by))}`);
		const root = path.join(content, 'root');
		execFileSync('rm', ['-rf', content]);
		execFileSync('unsquashfs', ['-no-progress', '-dest', content, by, 'rootfs.img'], {stdio: 'pipe'});
		execFileSync('fsck.erofs', [`--extract=${root}`, path.join(content, 'rootfs.img')], {stdio: 'pipe'});
		const etc = path.join(root, 'etc/rauc');
		const options = ['--conf', path.join(etc, 'system.conf'), '--keyring', path.join(etc, 'keyring.pem')];
		return spawnSync('rauc', [...options, 'info', bundle], {stdio: 'pipe'}).status === 0;
	};
	t.true(isTaken(ofRelease.bundlePath, ofRelease.bundlePath));
	t.false(isTaken(ofDevelopment.bundlePath, ofRelease.bundlePath));
	t.true(isTaken(ofRelease.bundlePath, ofDevelopment.bundlePath));
	t.true(isTaken(ofDevelopment.bundlePath, ofDevelopment.bundlePath));
});
