import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {anchorPath, elevateDirectory, resetRequestFile, roleUnit, systemHelpers} from '#image/process/box-units.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

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

test('a reset that the supervisor asks for is what the initrd looks for, and lasts before the reboot', async (t) => {
	t.true(unit('streamverse-reset.path').includes(`\nPathExists=${resetRequestFile}\n`));
	const supervisorWrites = new RegExp(`^ReadWritePaths=(?:.* )?${path.dirname(resetRequestFile)}(?: |$)`, 'mu');
	t.regex(unit('streamverse.service'), supervisorWrites);
	const kept = readFileSync(path.join(imageDirectory, 'profile/base/state-paths'), 'utf8');
	t.regex(kept, new RegExp(`^directory ${path.dirname(resetRequestFile)} +0700 streamverse:streamverse$`, 'mu'));
	const service = unit('streamverse-reset.service');
	const directory = await withDirectory(t);
	const command = /^ExecStart=(.+ && sync --file-system \/data')$/mu.exec(service)?.[1] ?? t.fail('it is not synced');
	execFileSync('sh', ['-c', command.replaceAll('/data', directory)]);
	t.true(existsSync(path.join(directory, 'factory-reset')));
	const initrd = readFileSync(path.join(imageDirectory, 'initrd/scripts/init-bottom/streamverse-state'), 'utf8');
	t.true(initrd.includes('"$rootmnt/data/factory-reset"'));
	// A service that remained active would not have ended well, and would reboot nothing.
	t.regex(service, /^SuccessAction=reboot$/mu);
	t.notRegex(service, /^RemainAfterExit=/mu);
});
