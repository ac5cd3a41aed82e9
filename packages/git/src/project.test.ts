import { describe, expect, it } from 'vitest';
import { projectOf } from './project.ts';

describe('projectOf', () => {
  it.each([
    ['git@gitlab.com:group/book.git', 'group/book', 'https://gitlab.com/group/book'],
    ['ssh://git@gitlab.com:2222/group/sub/book.git', 'group/sub/book', 'https://gitlab.com/group/sub/book'],
    ['https://gitlab.com/group/book', 'group/book', 'https://gitlab.com/group/book'],
    ['http://u:p@host:3000/g/b.git/', 'g/b', 'http://host:3000/g/b'],
  ])('%s', (remote, projectPath, projectUrl) => {
    expect(projectOf('/x/y', remote)).toEqual({
      projectName: projectPath.split('/').at(-1),
      projectPath,
      projectUrl,
    });
  });

  it.each([undefined, '/srv/git/book.git', '../book', 'C:\\book'])('is local for %s', (remote) => {
    expect(projectOf('/home/ada/my book', remote)).toEqual({
      projectName: 'my-book',
      projectPath: 'local/my-book',
      projectUrl: undefined,
    });
  });
});
