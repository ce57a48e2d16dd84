import tseslint from 'typescript-eslint';

/** Phrases that read like a riddle to engineers whose first language is not English. CONTRIBUTING.md has the rules. */
const RIDDLES =
  /\b(anew|as ever|be it|but for|for ever|he|his|him|shall|so many|sweeper|the original('s)?|whatever|whoever)\b/i;

/** Refuses these phrases in comments and messages. */
const plainEnglish = {
  create: ({ sourceCode, report }) => {
    const check = (text, loc) => {
      const phrase = RIDDLES.exec(text)?.[0];
      if (phrase) report({ loc, message: `Say it in plain English, without "${phrase}".` });
    };
    return {
      Program: () => sourceCode.getAllComments().forEach(({ value, loc }) => check(value, loc)),
      Literal: ({ value, loc }) => typeof value === 'string' && check(value, loc),
      TemplateElement: ({ value, loc }) => check(value.raw, loc),
    };
  },
};

export default tseslint.config(
  { ignores: ['dist', 'data', 'node_modules', '**/fixtures/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // A request is whatever the host's adapter makes of it.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines': ['error', { max: 320, skipBlankLines: false }],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/http/binding/nest-internals.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@nestjs/*/*'],
              message: 'Private parts of Nest stand in src/http/binding/nest-internals.ts, where a test watches them.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**'],
    plugins: { words: { rules: { 'plain-english': plainEnglish } } },
    rules: { 'max-lines': ['error', { max: 250 }], 'words/plain-english': 'error' },
  },
  // What a component returns is said by its JSX.
  { files: ['**/*.tsx'], rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' } },
  { files: ['test/**'], rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' } },
);
