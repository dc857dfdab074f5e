import {fileURLToPath} from 'node:url';
import {runSupervisor} from '#appliance/supervisor/run-supervisor.ts';
import {startMember} from '#ota/member/start-member.ts';
import {fakeRoleConfigSchema} from '#test/fake/role-config.ts';

/** The real supervisor process of a box in a fleet, over the role that fails as told. */
const [filePath = '', runDirectory] = process.argv.slice(2);
const boot = runDirectory === undefined ? {} : {runDirectory};

await runSupervisor({
	...boot,
	filePath,
	roleMainPath: () => fileURLToPath(new URL('role-main.ts', import.meta.url)),
	startMember: (options) =>
		startMember({...options, ...boot, sectionSchemaOf: () => fakeRoleConfigSchema, retryMs: 200}),
});
