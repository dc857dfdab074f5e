import type {Command} from 'commander';

export const registerSupervisorCommand = (program: Command): void => {
	program
		.command('supervisor')
		.summary('run a box: its role under a supervisor')
		.description(
			"run a box: start, watch and restart the role that its file names, and tell its health on a loopback port\n(/health, /metrics, /status, and a page at /); the unit's command under systemd (Type=notify). A file with a\nsection `fleet` makes the box a member of its fleet: enrolment, updates, diagnostics",
		)
		.requiredOption('--config <file>', "the box's YAML file")
		.addHelpText('after', '\nExample:\n  $ ./streamverse supervisor --config stb.yaml')
		.action(async ({config}: {readonly config: string}) => {
			const {roleMainPath, sectionSchemas} = await import('#cli/role/role-table.ts');
			const {runSupervisor} = await import('#appliance/supervisor/run-supervisor.ts');
			await runSupervisor({
				filePath: config,
				roleMainPath,
				startMember: async (options) => {
					const {startMember} = await import('#ota/member/start-member.ts');
					return await startMember({...options, sectionSchemaOf: (kind) => sectionSchemas[kind]});
				},
			});
		});
};
