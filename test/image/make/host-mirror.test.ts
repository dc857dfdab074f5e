import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {hostMirror, hostSuite, mirrorOf} from '#image/make/host-mirror.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const archive = 'http://mirror.example/debian';
const security = 'http://mirror.example/debian-security';

const withApt = async (t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> => {
	const directory = await withDirectory(t);
	for (const [name, text] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(directory, name)), {recursive: true});
		await writeFile(path.join(directory, name), text);
	}
	return directory;
};

const found: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	'one line a source': {
		'sources.list': `deb ${archive} bookworm main\ndeb-src http://other.example/debian bookworm main\ndeb ${security} bookworm-security main\n`,
	},
	'one line with options and a slash at the end': {
		'sources.list': `deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] ${archive}/ bookworm main\ndeb ${security}/ x main\n`,
	},
	deb822: {
		'sources.list.d/debian.sources': [
			`Types: deb deb-src\nURIs: ${archive}\nSuites: trixie\nComponents: main\n`,
			`Types: deb\nURIs: ${security}\nSuites: trixie-security\nComponents: main\n`,
		].join('\n'),
	},
	'deb822 with several addresses of one source': {
		'sources.list.d/debian.sources': `Types: deb\nURIs: https://vendor.example/tool\n ${archive} ${security}\nSuites: trixie\n`,
	},
	'both styles, the old file empty': {
		'sources.list': '# See sources.list.d\n',
		'sources.list.d/a.list': 'deb https://vendor.example/tool stable main\n',
		'sources.list.d/debian.sources': `Types: deb\nURIs: ${archive}\nSuites: trixie\n`,
	},
	'a line that is commented out, and a file that apt does not read': {
		'sources.list': `# deb http://old.example/debian bookworm main\ndeb ${archive} bookworm main\n`,
		'sources.list.d/aside.sources.bak': 'URIs: http://bak.example/debian\n',
	},
};

for (const [name, files] of Object.entries(found)) {
	test(`the mirror of this machine: ${name}`, async (t) => {
		t.deepEqual(hostMirror(await withApt(t, files)), {archive, security});
	});
}

test('a source that is turned off is none', async (t) => {
	const off = 'Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: trixie\n';
	const text = `${off}\nTypes: deb\nURIs: ${archive}\nSuites: trixie\n`;
	t.is(hostMirror(await withApt(t, {'sources.list.d/debian.sources': text})).archive, archive);
});

test('a machine without an archive of Debian is told to name one', async (t) => {
	const other = await withApt(t, {'sources.list': 'deb http://archive.example/ubuntu noble main\n'});
	t.throws(() => hostMirror(other), {code: 'IMAGE_NO_MIRROR', message: /--mirror/u});
	t.throws(() => hostMirror(path.join(other, 'absent')), {code: 'IMAGE_NO_MIRROR'});
});

test('the archive of security updates lies beside a mirror that is named', (t) => {
	t.deepEqual(mirrorOf(`${archive}/`), {archive, security});
	t.is(
		mirrorOf(archive, [archive, 'http://fast.example/debian-security/']).security,
		'http://fast.example/debian-security',
	);
});

test('the release of Debian of this machine is the one that os-release names', async (t) => {
	const file = path.join(await withDirectory(t), 'os-release');
	for (const line of ['VERSION_CODENAME=trixie', 'VERSION_CODENAME="trixie"']) {
		await writeFile(file, `PRETTY_NAME="Debian"\n${line}\nID=debian\n`);
		t.is(hostSuite(file), 'trixie');
	}
	await writeFile(file, 'ID=debian\n');
	t.throws(() => hostSuite(file), {code: 'IMAGE_NO_MIRROR'});
});
