import {chmod, copyFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {createStreamPage} from '#test/helper/stream-page.ts';
import {type TestFleet, withFleet} from '#test/helper/with-fleet.ts';
import {type FleetMember, withFleetMember} from '#test/helper/with-fleet-member.ts';

type Look = {
	readonly ids: string;
	readonly groups: string;
	readonly noNewPrivileges: string;
	readonly capabilities: string;
	readonly setUserId: string;
	readonly key: string;
};

const pageOf = (fleet: TestFleet, box: FleetMember, token = fleet.token) =>
	createStreamPage({url: fleet.url, box: box.id, headers: {Authorization: `Bearer ${token}`}});

/** What a shell of the box can do, as a person at the console sees it. */
const lookInto = async (
	t: ExecutionContext,
	query: string,
	{fleet, box, setUserIdPath}: {readonly fleet: TestFleet; readonly box: FleetMember; readonly setUserIdPath: string},
): Promise<Look> => {
	const page = pageOf(fleet, box);
	t.teardown(() => page.cut());
	await page.connect(`kind=terminal&columns=200&rows=40&${query}`);
	const keyPath = path.join(box.stateDirectory, 'fleet', 'key.pem');
	const said = async (name: string, command: string): Promise<string> => {
		// The quotes keep the echo of what is typed from being taken for the answer.
		page.type(`echo "${name}""=$(${command})="\n`);
		return await eventually(name, () => new RegExp(`${name}=([^=]*)=\\r`, 'u').exec(page.text())?.[1]);
	};
	const look = {
		ids: await said('ids', 'id -u; id -ru; id -g'),
		groups: await said('groups', 'id -G'),
		noNewPrivileges: await said('privs', "awk '/NoNewPrivs/ {print $2}' /proc/self/status"),
		capabilities: await said('caps', "awk '/CapEff/ {print $2}' /proc/self/status"),
		setUserId: await said('suid', `${setUserIdPath} -u`),
		key: await said('key', `cat ${keyPath} >/dev/null 2>&1 && echo read || echo refused`),
	};
	page.type('exit\n');
	await eventually('the end', () => page.closed());
	return look;
};

const isSuperuser = process.getuid?.() === 0;
const asSuperuser = isSuperuser ? test : test.skip;

asSuperuser(
	'a terminal is nobody without a way up, and an elevated one the superuser, over a real fleet',
	async (t) => {
		const fleet = await withFleet(t);
		const box = await withFleetMember(t, fleet, {id: 'stb-terminal'});
		// What keeps the key is its own place, and not the directory of a test.
		await chmod(path.dirname(box.stateDirectory), 0o755);
		await chmod(box.stateDirectory, 0o755);
		const setUserIdPath = path.join(path.dirname(box.stateDirectory), 'become-root');
		await copyFile('/usr/bin/id', setUserIdPath);
		await chmod(setUserIdPath, 0o4755);
		const parts = {fleet, box, setUserIdPath};

		t.deepEqual(await lookInto(t, 'elevated=false', parts), {
			ids: '65534\r\n65534\r\n65534',
			groups: '65534',
			noNewPrivileges: '1',
			capabilities: '0000000000000000',
			setUserId: '65534',
			key: 'refused',
		});
		const elevated = await lookInto(t, 'elevated=true', parts);
		t.like(elevated, {ids: '0\r\n0\r\n0', setUserId: '0', key: 'read'});
		t.not(elevated.capabilities, '0000000000000000');

		const {body} = await fleet.call('POST /tokens', {name: 'operator', role: 'operator', lifeDays: 1});
		const operator = pageOf(fleet, box, body.token);
		await t.throwsAsync(operator.connect('kind=terminal&elevated=true'), {message: /403/u});
	},
);

test('what the fleet configures as a secret is in no line of a log that somebody followed before', async (t) => {
	const fleet = await withFleet(t);
	const box = await withFleetMember(t, fleet, {id: 'stb-log'});
	const page = pageOf(fleet, box);
	t.teardown(() => page.cut());
	await page.connect('kind=log&tail=100');
	const config = {stb: {secret: 'Zt7-configured-later', says: 'the role says Zt7-configured-later aloud'}};
	const {headers} = await fleet.call(`GET /boxes/${box.id}`);
	const {status} = await fleet.call(`PATCH /boxes/${box.id}`, {config}, {'If-Match': headers.get('etag') ?? ''});
	t.is(status, 200);
	await eventually('the role says it', () => page.text().includes('the role says [removed] aloud'));
	t.false(page.text().includes('Zt7-configured-later'));
});
