import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {anchorPath, elevateDirectory, roleUnit, systemHelpers} from '#image/process/box-units.ts';

const overlay = path.join(imageDirectory, 'profile/base/overlay');
const unit = (name: string): string => readFileSync(path.join(overlay, 'usr/lib/systemd/system', name), 'utf8');

test('the sockets that our processes connect to are those of the units, and the supervisor’s alone', (t) => {
	const {captureSocket, kernelLogSocket, identifySocket, elevateSocket} = systemHelpers;
	for (const socketPath of [captureSocket, kernelLogSocket, identifySocket, elevateSocket, roleUnit.socketPath]) {
		const text = unit(`streamverse-${path.basename(socketPath)}`);
		t.true(text.includes(`\nListenStream=${socketPath}\n`), socketPath);
		t.regex(text, /^SocketUser=streamverse\nSocketMode=0600\nAccept=yes$/mu);
	}
});

test('the units that our processes name are there', (t) => {
	const names = [false, true].map((elevated) => systemHelpers.shellUnit(3, {elevated}));
	for (const name of [...names, roleUnit.unitPattern]) {
		t.true(existsSync(path.join(overlay, 'usr/lib/systemd/system', name.replace(/@.*\./u, '@.'))), name);
	}
});

test('the role’s unit reads, writes and leaves what the supervisor looks for', (t) => {
	const text = unit('streamverse-role@.service');
	t.true(text.includes(`--config ${roleUnit.filePath}\n`));
	t.true(text.includes(`>${roleUnit.endPath}'`));
	t.true(text.includes(`ReadWritePaths=${roleUnit.stateDirectory} ${path.dirname(roleUnit.endPath)}\n`));
});

test('nobody but the first boot and who keeps a later claim writes whose orders count, and nobody but their judge what came of them', (t) => {
	const writers = (directory: string): readonly string[] =>
		['', '-role@', '-shell@', '-capture@', '-kernel-log@', '-identify@', '-elevate@', '-first-boot', '-anchor'].filter(
			(name) =>
				new RegExp(`^ReadWritePaths=(?:.* )?${directory}(?: |$)`, 'mu').test(unit(`streamverse${name}.service`)),
		);
	t.deepEqual(writers(path.dirname(anchorPath)), ['-first-boot', '-anchor']);
	t.deepEqual(writers(elevateDirectory), ['-elevate@']);
	const kept = readFileSync(path.join(imageDirectory, 'profile/base/state-paths'), 'utf8');
	t.regex(kept, new RegExp(`^directory ${path.dirname(anchorPath)} +0755 root:root$`, 'mu'));
	t.regex(kept, new RegExp(`^directory ${elevateDirectory} +0700 streamverse-elevate:`, 'mu'));
});
