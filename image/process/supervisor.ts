import path from 'node:path';
import {parseArgs} from 'node:util';
import {runSupervisor} from '#appliance/supervisor/run-supervisor.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {resetRequestFile, roleUnit, systemHelpers} from '#image/process/box-units.ts';
import {projectRoot} from '#native/project-root.ts';
import {startMember} from '#ota/member/start-member.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';

/** The supervisor of an image: what `./streamverse supervisor` is in a checkout, but that whatever needs a right or a user of its own is a unit of its own. */
const sectionSchemas = {headend: headendConfigSchema, stb: stbConfigSchema, 'pop-node': popNodeConfigSchema};
const {values} = parseArgs({options: {config: {type: 'string', default: '/var/lib/streamverse/box.yaml'}}});

await runSupervisor({
	filePath: values.config,
	// What its unit starts, under the same name on every kind of box.
	roleMainPath: () => path.join(projectRoot, 'role.js'),
	roleUnit,
	resetRequestFile,
	startMember: async (options) =>
		await startMember({...options, sectionSchemaOf: (kind) => sectionSchemas[kind], helpers: systemHelpers}),
});
