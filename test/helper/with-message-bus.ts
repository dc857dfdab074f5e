import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** The address of a system bus of this test's own, on which everybody may own any name. */
export const withMessageBus = async (t: ExecutionContext): Promise<string> => {
	const directory = await withDirectory(t);
	const [socket, config] = [join(directory, 'bus'), join(directory, 'bus.conf')];
	await writeFile(
		config,
		`<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<type>system</type>
<listen>unix:path=${socket}</listen>
<auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`,
	);
	const daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork'], {stdio: 'ignore'});
	t.teardown(async () => {
		const exited = daemon.exitCode === null ? once(daemon, 'exit') : undefined;
		daemon.kill('SIGKILL');
		await exited;
	});
	await eventually('the bus', async () => (await stat(socket)).isSocket());
	return `unix:path=${socket}`;
};
